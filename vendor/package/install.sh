#!/bin/sh
# Installs bpftrap from the directory that this file is in, or removes it.
set -eu

usage() {
  cat <<'END'
usage: ./install.sh [--prefix DIR] [--uninstall] [--help]

Copies bpftrap, its man pages, completions and documentation below DIR. A version that is already
there is replaced.

  --prefix DIR   default: /usr/local
  --uninstall    remove the files and directories that an installation has created
  --help         show this

With DESTDIR in the environment, all paths are below that directory.
END
}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

prefix=/usr/local
uninstall=false
while [ $# -gt 0 ]; do
  case $1 in
    --prefix)
      [ $# -ge 2 ] || fail "--prefix needs a directory, see --help"
      prefix=$2
      shift
      ;;
    --prefix=*) prefix=${1#*=} ;;
    --uninstall) uninstall=true ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) fail "unknown option '$1', see --help" ;;
  esac
  shift
done
case $prefix in
  /*) ;;
  *) fail "--prefix: '$prefix' is not absolute; expected a path from /" ;;
esac

root=${DESTDIR:-}${prefix%/}
# What an installation has created: directories end with /, and come before what is in them.
list=share/bpftrap/installed.txt

# Removes what the list in $1 names, the content of a directory first.
remove_listed() {
  sed '1!G;h;$!d' "$1" | while IFS= read -r path; do
    case $path in
      */) rmdir "$root/$path" 2>/dev/null || true ;;
      *) rm -f "$root/$path" ;;
    esac
  done
}

if $uninstall; then
  [ -f "$root/$list" ] || fail "$root/$list does not exist: bpftrap is not installed there"
  copy=$(mktemp)
  cp "$root/$list" "$copy"
  remove_listed "$copy"
  rm -f "$copy"
  echo "bpftrap is removed from $root"
  exit 0
fi

cd "$(dirname "$0")"
[ -f bin/bpftrap ] || fail "bin/bpftrap is missing: run install.sh in the unpacked directory"
umask 022
new=$(mktemp)
trap 'rm -f "$new"' EXIT

# Directories of an earlier installation are still bpftrap's.
if [ -f "$root/$list" ]; then
  grep '/$' "$root/$list" >"$new" || true
  grep -v '/$' "$root/$list" | while IFS= read -r path; do
    rm -f "$root/$path"
  done
fi
if [ ! -d "$root/" ]; then
  mkdir -p "$root"
  echo "../$(basename "$root")/" >>"$new"
fi
find bin share -type d | LC_ALL=C sort | while IFS= read -r directory; do
  if [ ! -d "$root/$directory" ]; then
    mkdir -p "$root/$directory"
    grep -qxF "$directory/" "$new" || echo "$directory/" >>"$new"
  fi
done
find bin share -type f | LC_ALL=C sort | while IFS= read -r file; do
  cp "$file" "$root/$file"
  chmod 644 "$root/$file"
  echo "$file" >>"$new"
done
chmod 755 "$root/bin/bpftrap"
echo "$list" >>"$new"
cp "$new" "$root/$list"
chmod 644 "$root/$list"

cat <<END
bpftrap is installed in $root/bin.
It needs root, or once, to let every user trace: sudo setcap cap_bpf,cap_perfmon+ep $root/bin/bpftrap
END
