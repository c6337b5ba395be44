# shellcheck shell=bash
# Sourced by build.sh, tests/run.sh and .ci/run: installs missing Debian packages of parts.txt. If none is
# missing, it starts neither apt nor anything else that uses the network.

# Prints the Debian packages of the parts that any of the given purposes needs.
debian_packages() {
  local wanted=" $* " part purpose debian _least _rest
  while IFS='|' read -r part _least purpose debian _rest; do
    purpose=${purpose// /}
    if [[ $part != \#* && -n $purpose && $wanted == *" $purpose "* ]]; then
      # Splits at spaces, to print one package per line.
      # shellcheck disable=SC2086
      printf '%s\n' $debian
    fi
  done <"$(dirname "${BASH_SOURCE[0]}")/parts.txt"
}

# Prints the given packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    # dpkg also knows removed packages. One of several architectures is enough.
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -x installed >/dev/null ||
      printf '%s\n' "$package"
  done
}

# ensure_packages PURPOSE...: installs missing packages as root. Otherwise prints the command and returns
# 1. Without dpkg it does nothing, because configuration names missing parts.
ensure_packages() {
  local -a missing wanted
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0
  mapfile -t wanted < <(debian_packages "$@")
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $(id -u) -ne 0 ]]; then
    echo "Packages are missing. Install them with:" >&2
    echo "  sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  echo "Installing ${missing[*]}" >&2
  # Standard output belongs to the caller, whose last line has counts that others read.
  DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
}
