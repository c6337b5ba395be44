#!/usr/bin/env bash
# Builds bpftrap: installs missing Debian packages, configures, and compiles. A second run compiles only
# changed files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=vendor/packages.sh
source vendor/packages.sh

usage() {
  cat <<'END'
usage: vendor/build.sh [--preset NAME] [--help]

Installs missing packages on Debian, then builds bpftrap into build/.

  --preset NAME   a preset of CMakePresets.json (default: release):
                  release         static, stripped: build/bpftrap
                  release-clang   the same, compiled by clang++: build-clang/bpftrap
                  shared          linked to shared libraries: build-shared/bpftrap
                  dev             with debug information: build-dev/bpftrap
                  asan            under ASan and UBSan: build-asan/bpftrap
                  fuzz            the fuzz targets: build-fuzz/tests/fuzz/
  --help          print this help
END
}

preset=release
while [[ $# -gt 0 ]]; do
  case $1 in
    --preset)
      [[ $# -ge 2 ]] || { echo "vendor/build.sh: --preset needs a name, see --help" >&2; exit 2; }
      preset=$2
      shift
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      echo "vendor/build.sh: unknown option '$1', see --help" >&2
      exit 2
      ;;
  esac
  shift
done
if ! grep -q "\"name\": \"$preset\"" CMakePresets.json; then
  echo "vendor/build.sh: --preset: no preset '$preset', see --help" >&2
  exit 2
fi

purposes=(build)
# sudo is needed to run bpftrap, not to build it. Without root it cannot be installed, and its absence is
# no reason to stop.
[[ $(id -u) -ne 0 ]] || purposes+=(run)
ensure_packages "${purposes[@]}"
if ! command -v cmake >/dev/null; then
  echo "vendor/build.sh: cmake is missing; docs/building.md lists the required packages" >&2
  exit 1
fi

# The results of configuration matter only if it fails. Errors go to standard error.
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
