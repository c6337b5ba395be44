#!/usr/bin/env bash
# Makes docs/timeline.png: records a build of this project, and takes a picture of its timeline. Needs root.
# The build makes the BPF programs and the tools only, because the rest is many alike compilers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
# shellcheck source=vendor/packages.sh
source vendor/packages.sh

purposes=(build web)
command -v npm >/dev/null || purposes+=(npm)
ensure_packages "${purposes[@]}"
vendor/build.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp tests/web/picture.mjs tests/web/package*.json "$scratch"
(cd "$scratch" && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --cache "$PWD/npm" >/dev/null)

git archive HEAD | tar -x -C "$scratch" --one-top-level=bpftrap
cd "$scratch/bpftrap"
cmake --preset release >/dev/null
"$root/build/bpftrap" record -o ../build.bpftrap --timeline ../timeline.html -- \
  cmake --build build --parallel 4 --target bpftrap_skeletons make_sandbox_filter embed_page >/dev/null
cd ..
node picture.mjs timeline.html timeline.png
size=$(stat -c %s timeline.png)
[[ $size -lt 200000 ]] || { echo "the picture has $size bytes; the README takes 200000" >&2; exit 1; }
cp timeline.png "$root/docs/timeline.png"
