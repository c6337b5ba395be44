# shellcheck shell=bash
# Sourced by run.sh: builds and runs guests. Uses $root, $work, $filter, $deadline.
# shellcheck disable=SC2154

# build_PROCESSOR: builds bpftrap and its end-to-end tests. Stores the directory in $built.
declare -A built busybox_of
build_amd64() {
  built[amd64]=$root/build
  busybox_of[amd64]=/bin/busybox
  vendor/build.sh && cmake --preset release -DBPFTRAP_TESTS=ON >/dev/null &&
    cmake --build build --target bpftrap_e2e_tests
}

# make_arm64_sysroot: what bpftrap for arm64 is linked with, in $work/arm64.sysroot. It is of this
# machine's release, because the cross compiler is.
make_arm64_sysroot() {
  local apt=$work/arm64.apt sysroot=$work/arm64.sysroot package release
  local -a wanted=(busybox-static)
  [[ ! -e $sysroot/complete ]] || return 0
  # Libraries, which are told by their names; the other parts are programs that run here.
  for package in $(debian_packages build test); do
    [[ $package != *-dev ]] || wanted+=("$package")
  done
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  rm -rf "$sysroot" && mkdir -p "$sysroot" &&
    debian_sources "$apt" "$release" "$release-security" &&
    debian_apt "$apt" arm64 apt-get update -qq &&
    debian_apt "$apt" arm64 apt-get install -qq -y --download-only --no-install-recommends \
      "${wanted[@]}" >&2 || return
  for package in "$apt"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$sysroot" || return
  done
  rm -f "$apt"/cache/archives/*.deb
  touch "$sysroot/complete"
}

build_arm64() {
  built[arm64]=$work/arm64.build
  busybox_of[arm64]=$work/arm64.sysroot/bin/busybox
  make_arm64_sysroot || return
  BPFTRAP_SYSROOT=$work/arm64.sysroot cmake --preset release -B "${built[arm64]}" -DBPFTRAP_TESTS=ON \
    -DCMAKE_TOOLCHAIN_FILE=tests/vm/aarch64.cmake >/dev/null &&
    cmake --build "${built[arm64]}" --target bpftrap bpftrap_e2e_tests
}

# make_initramfs PROCESSOR: makes $work/PROCESSOR.initramfs. Tests that change their user need directories
# and programs that all users can read, whatever the umask is.
make_initramfs() {
  local processor=$1 tree=$work/$1.tree
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,dev,etc,proc,root,sys,tmp}
  cp "${busybox_of[$processor]}" "$tree/bin/busybox" &&
    cp "${built[$processor]}/bpftrap" "${built[$processor]}/tests/bpftrap_e2e_tests" "$tree/bin/" &&
    cp docs/records.schema.json "$tree/" && cp tests/vm/init "$tree/init" || return
  echo 'root:x:0:0::/root:/bin/sh' >"$tree/etc/passwd"
  echo 'root:x:0:' >"$tree/etc/group"
  echo "$filter" >"$tree/filter"
  chmod -R u=rwX,go=rX "$tree"
  chmod 755 "$tree"/bin/* "$tree/init"
  (cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$work/$processor.initramfs"
}

# boot DIRECTORY PROCESSOR: boots DIRECTORY/vmlinuz and waits for its end, maximum $deadline. Writes
# `console`, `seconds` and `report/` there. If there is no report, `trouble` has the reason.
boot() {
  local directory=$1 processor=$2 status begin=$SECONDS last trouble
  local -a machine
  case $processor in
    # Under load the kernel's timer check can fail in a virtual machine, and the kernel then panics.
    amd64) machine=(qemu-system-x86_64 -M q35 -append "console=ttyS0 no_timer_check") ;;
    arm64) machine=(qemu-system-aarch64 -M virt -append "console=ttyAMA0") ;;
  esac
  machine[-1]+=" quiet panic=-1"
  rm -rf "$directory"/{report,report.disk,scratch.disk,console,trouble}
  truncate -s 64M "$directory/scratch.disk"
  truncate -s 16M "$directory/report.disk"
  # One thread emulates all processors of a guest. With several threads, qemu 7.2 sometimes executes a
  # breakpoint that the guest has just removed, as it does when a tracepoint is switched. The guest then
  # hangs, or panics with "int3".
  timeout -k 10 "$deadline" "${machine[@]}" -accel tcg,thread=single -cpu max -smp 2 -m 2048 \
    -no-reboot -display none -monitor none -nic none -serial "file:$directory/console" \
    -kernel "$directory/vmlinuz" -initrd "$work/$processor.initramfs" \
    -drive "if=none,id=scratch,format=raw,cache=unsafe,file=$directory/scratch.disk" \
    -device nvme,serial=scratch,drive=scratch \
    -drive "if=none,id=report,format=raw,file=$directory/report.disk" \
    -device nvme,serial=report,drive=report </dev/null
  status=$?
  sed -i 's/\r//g' "$directory/console"
  echo $((SECONDS - begin)) >"$directory/seconds"
  tar -xf "$directory/report.disk" -C "$directory" 2>/dev/null
  rm -f "$directory"/{report,scratch}.disk
  last=$(sed -n 's/^\[ RUN  *\] //p' "$directory/console" | tail -n 1)
  case $status in
    124 | 137) trouble="it did not end in $deadline s" ;;
    0) trouble="it ended without a report" ;;
    *) trouble="qemu ended with status $status" ;;
  esac
  echo "$trouble; the last started case was ${last:-none}" >"$directory/trouble"
}
