#!/usr/bin/env bash
# A changed header in src/bpf/ must rebuild the skeletons that depend on it, and they must rebuild
# bpftrap.
set -euo pipefail
original=${BPFTRAP_BUILD_DIR:?}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

complain() {
  echo "$*" >&2
  exit 1
}

# Works in a copy, because it changes headers.
cp -r CMakeLists.txt CMakePresets.json src vendor "$scratch/"
cd "$scratch"
cmake --preset release >/dev/null
skeletons() { ninja -C build bpftrap_skeletons; }
skeletons >/dev/null

log=$(skeletons)
[[ $log == *"no work to do"* ]] || complain "unchanged, and yet: $log"

# Headers for new tracers only, such as filter.bpf.h, are in no skeleton.
mapfile -t headers < <(cc -MM -D__TARGET_ARCH_x86 src/bpf/*.bpf.c | grep -o 'src/bpf/[a-z_.]*\.h' | sort -u)
[[ ${#headers[@]} -gt 10 ]] || complain "the compiler names only ${#headers[@]} headers"
for header in "${headers[@]}"; do
  touch "$header"
  log=$(skeletons)
  [[ $log == *"BPF skeleton"* ]] || complain "$header changes, and no skeleton is made anew"
done

# Every skeleton must contain the new content of the header that all of them include.
echo 'const volatile int header_rebuild_probe;' >>src/bpf/record.h
skeletons >/dev/null
for skeleton in build/bpf/*.skel.h; do
  grep -q header_rebuild_probe "$skeleton" || complain "$skeleton is stale"

  # bpftrap must contain an object that was compiled from the skeleton.
  object=$(ninja -C "$original" -t deps | awk -v skeleton="$original/${skeleton#build/}" '
    /^[^ ]/ { object = $1 }
    $1 == skeleton && object ~ /\.cpp\.o:$/ { found = object }
    END { sub(/:$/, "", found); print found }')
  [[ -n $object ]] || complain "nothing was compiled from $skeleton"
  parts=$(ninja -C "$original" -t query bpftrap)
  [[ $parts == *" $object"* ]] || complain "$object, compiled from $skeleton, is not in bpftrap"
done
