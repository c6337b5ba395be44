#!/usr/bin/env bash
# Boots a Debian with systemd and the package of bpftrap, enables the recorder, kills it, reboots, and reads the
# records of both boots as a member of adm. Needs root. The Debian is fetched once.
# Usage: tests/vm/service.sh [DEB]    default: build/bpftrap_*.deb
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
root=$PWD
# shellcheck source=vendor/packages.sh
source vendor/packages.sh
# shellcheck source=tests/vm/debian.sh
source tests/vm/debian.sh

if [[ ${1:-} == --help || ${1:-} == -h ]]; then
  sed -n '2,4s/^# //p' "$0"
  exit
fi
if [[ $(id -u) -ne 0 ]]; then
  echo "tests/vm/service.sh: needs root" >&2
  exit 77
fi
if [[ ${BPFTRAP_UNSHARED:-} != true ]]; then
  # Mounts end with this script.
  BPFTRAP_UNSHARED=true exec unshare --mount --propagation private -- "$0" "$@"
fi
ensure_packages package vm || exit
work=$root/build-vm/service
deb=${1:-$(ls build/bpftrap_*.deb)}
mkdir -p "$work"

complain() {
  echo "tests/vm/service.sh: $*" >&2
  exit 1
}

make_debian() {
  local release
  [[ ! -e $work/root.complete ]] || return 0
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  rm -rf "$work/root"
  debootstrap --variant=minbase --include=systemd-sysv,dbus,linux-image-cloud-amd64,initramfs-tools \
    "$release" "$work/root" "$(mirror_of "$release")" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" && complain "debootstrap failed"; }
  touch "$work/root.complete"
}

make_debian
scratch=$(mktemp -d)
trap 'umount -l "$scratch/root" 2>/dev/null; rm -rf "$scratch"' EXIT
mkdir "$scratch"/{upper,work,root}
guest=$scratch/root
mount -t overlay overlay "$guest" -o "lowerdir=$work/root,upperdir=$scratch/upper,workdir=$scratch/work" ||
  complain "cannot mount an overlay"
mount -t proc proc "$guest/proc"

inside() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$guest" "$@"
}

cp "$deb" "$guest/tmp/bpftrap.deb"
inside dpkg -i /tmp/bpftrap.deb >"$scratch/log" 2>&1 || { cat "$scratch/log" && complain "dpkg failed"; }
[[ $(stat -c '%a %U %G' "$guest/var/lib/bpftrap" 2>/dev/null) == "2750 "* ]] ||
  complain "the package has not made /var/lib/bpftrap"
[[ ! -e $guest/etc/systemd/system/multi-user.target.wants/bpftrap.service ]] ||
  complain "the package has enabled the recorder"
inside systemctl enable bpftrap 2>/dev/null || complain "cannot enable the recorder"
inside useradd --system --groups adm reader
cp tests/vm/service-guest.sh "$guest/usr/local/sbin/check"
chmod 755 "$guest/usr/local/sbin/check"
cat >"$guest/etc/systemd/system/check.service" <<'END'
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/check
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=multi-user.target
END
inside systemctl enable check 2>/dev/null
# Its start would hang up the console.
inside systemctl mask serial-getty@ttyS0.service 2>/dev/null
cp "$guest"/boot/vmlinuz-* "$scratch/vmlinuz"
cp "$guest"/boot/initrd.img-* "$scratch/initrd"
umount "$guest/proc"
truncate -s 2G "$scratch/disk"
mke2fs -q -t ext4 -d "$guest" "$scratch/disk" || complain "cannot make the disk"

timeout 900 qemu-system-x86_64 -accel tcg,thread=single -cpu max -m 1024 -nographic -monitor none -nic none \
  -kernel "$scratch/vmlinuz" -initrd "$scratch/initrd" \
  -append 'root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0' \
  -drive "file=$scratch/disk,format=raw,if=virtio" </dev/null >"$scratch/console" 2>&1
tr -d '\r' <"$scratch/console" | grep -aE '^(ok|FAILED) ' | tee "$scratch/verdicts"
if grep -q '^FAILED' "$scratch/verdicts" || ! grep -q '^ok .*the end' "$scratch/verdicts"; then
  tail -n 60 "$scratch/console"
  exit 1
fi
