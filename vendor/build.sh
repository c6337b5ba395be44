#!/usr/bin/env bash
# Builds bpftrap: installs the Debian packages that are missing, configures, compiles. Run again, it
# compiles only what has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=vendor/packages.sh
source vendor/packages.sh

usage() {
  cat <<'END'
usage: vendor/build.sh [--preset NAME] [--help]

Installs what is missing on Debian, then builds bpftrap into build/.

  --preset NAME   one of CMakePresets.json (default: release):
                  release         static, stripped: build/bpftrap
                  release-clang   the same by clang++: build-clang/bpftrap
                  shared          linked to the system's libraries: build-shared/bpftrap
                  dev             with debug information: build-dev/bpftrap
                  asan            under ASan and UBSan: build-asan/bpftrap
                  fuzz            the fuzz targets: build-fuzz/tests/fuzz/
  --help          show this
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
# «sudo» is not needed to build, but to run what was built; without root it cannot be installed and
# is nothing to stop at.
[[ $(id -u) -ne 0 ]] || purposes+=(run)
ensure_packages "${purposes[@]}"
if ! command -v cmake >/dev/null; then
  echo "vendor/build.sh: cmake is missing; docs/building.md lists what bpftrap is built with" >&2
  exit 1
fi

# What configuration found is of interest only where it fails, and that goes to standard error.
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
