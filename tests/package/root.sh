#!/usr/bin/env bash
# Installs bpftrap into a fresh Debian, uses it there, removes it, and compares all files with those
# from before. root.sh deb OLD.deb NEW.deb | root.sh tarball FILE. Needs root. The fresh Debian is in
# $BPFTRAP_ROOT; nothing is written there, and nothing stays mounted.
set -euo pipefail
kind=$1
shift
if [[ ${BPFTRAP_UNSHARED:-} != true ]]; then
  # Mounts and processes end with this script.
  BPFTRAP_UNSHARED=true exec unshare --mount --propagation private -- "$0" "$kind" "$@"
fi

scratch=$(mktemp -d)
mount -t tmpfs tmpfs "$scratch"
trap 'umount -l "$scratch"; rmdir "$scratch"' EXIT
mkdir "$scratch"/{upper,work,root}
root=$scratch/root
mount -t overlay overlay "$root" \
  -o "lowerdir=${BPFTRAP_ROOT:?},upperdir=$scratch/upper,workdir=$scratch/work"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --bind /dev/null "$root/dev/null"

# inside COMMAND...: in the fresh Debian, with none of this environment.
inside() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive MANPAGER=cat chroot "$root" "$@"
}

complain() {
  echo "tests/package/root.sh: $*" >&2
  exit 1
}

# list_files: all files with what they are. Logs, and what dpkg and man-db note of each run, differ.
list_files() {
  (
    cd "$root"
    find . \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./var/log \
      -o -path ./var/cache/man -o -path './var/lib/dpkg/*-old' -o -path ./var/lib/dpkg/lock \
      -o -path ./var/lib/dpkg/lock-frontend -o -path ./var/lib/dpkg/triggers \) -prune \
      -o \( -type f -printf '%p %M %U:%G ' -exec sha256sum {} \; \) -o -printf '%p %M %U:%G %l\n' | sort
  )
}

# use: the commands that a user tries first.
use() {
  local records
  records=$(inside bpftrap exec --json -- /bin/true)
  [[ $records == *'"args":["/bin/true"]'* ]] || complain "exec: $records"
  records=$(inside bpftrap exit --json -- /bin/sh -c 'exit 0')
  [[ $records == *'"exit_code":0'* ]] || complain "exit: $records"
  [[ $(inside bpftrap hello --count 1) == *"BPF triggered from PID"* ]] || complain "hello"
  inside bpftrap doctor >/dev/null || complain "doctor: status $?"
  [[ $(inside man bpftrap-exec 2>&1) == *SYNOPSIS*--user* ]] || complain "man bpftrap-exec"
  [[ $(inside man bpftrap 2>&1) == *'EXIT STATUS'* ]] || complain "man bpftrap"
  # shellcheck disable=SC2016 # of the inner shell
  [[ $(inside bash -c 'source "$1"/share/bash-completion/completions/bpftrap
    COMP_WORDS=(bpftrap exec --user roo) COMP_CWORD=3
    _bpftrap
    echo "${COMPREPLY[*]}"' bash "$1") == root ]] || complain "bash completion"
  [[ -z $(find "$root$1/bin" -name bpftrap -perm /7000) ]] || complain "bpftrap has a mode of its own"
}

install_deb() {
  local old=$1 new=$2
  cp "$old" "$root/tmp/old.deb"
  cp "$new" "$root/tmp/new.deb"
  inside dpkg -i /tmp/old.deb >/dev/null
  inside dpkg -i /tmp/new.deb >/dev/null
  [[ ! -e $root/usr/share/bpftrap/left-by-old-version ]] || complain "the upgrade left a file"
  [[ $(inside dpkg --verify bpftrap) == '' ]] || complain "dpkg --verify finds differences"
}

remove_deb() {
  inside dpkg --remove bpftrap >/dev/null
  inside dpkg --purge bpftrap >/dev/null 2>&1
  [[ $(inside dpkg-query -W bpftrap 2>&1) == *"no packages found"* ]] || complain "dpkg knows bpftrap"
}

# tarball ARGS...: install.sh, of a fresh copy.
tarball() {
  rm -rf "$root/tmp/bpftrap"* && tar -xzf "$archive" -C "$root/tmp"
  inside sh -c '/tmp/bpftrap*/install.sh "$@"' sh "$@" >/dev/null
}

before=$(list_files)
case $kind in
  deb)
    install_deb "$@"
    use /usr
    remove_deb
    ;;
  tarball)
    archive=$1
    tarball
    tarball --prefix /usr/local # an upgrade
    use /usr/local
    tarball --uninstall
    tarball --prefix /opt/bpftrap
    inside /opt/bpftrap/bin/bpftrap --version >/dev/null
    tarball --uninstall --prefix=/opt/bpftrap
    ;;
esac
after=$(list_files)
# dpkg writes the status file anew, and keeps its content.
diff <(echo "$before") <(echo "$after") || complain "other files than before"
