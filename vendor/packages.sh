# shellcheck shell=bash
# Sourced by build.sh, tests/run.sh and .ci/run: makes sure that the Debian packages of parts.txt
# are installed. Where everything is there, it starts neither apt nor anything else that uses the
# network.

# Prints the Debian packages of the parts that are needed for one of the given purposes.
debian_packages() {
  local wanted=" $* " part purpose debian _least _rest
  while IFS='|' read -r part _least purpose debian _rest; do
    purpose=${purpose// /}
    if [[ $part != \#* && -n $purpose && $wanted == *" $purpose "* ]]; then
      # Splits at the spaces, so that each package is a line.
      # shellcheck disable=SC2086
      printf '%s\n' $debian
    fi
  done <"$(dirname "${BASH_SOURCE[0]}")/parts.txt"
}

# Prints those of the given packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    # dpkg may know a package that is removed; of several architectures one will do.
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -x installed >/dev/null ||
      printf '%s\n' "$package"
  done
}

# ensure_packages PURPOSE...: installs what is missing as root, and otherwise says how to and
# returns 1. On a system without dpkg it does nothing: configuration names whatever is missing.
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
  # Standard output is the caller's: it ends with a count that others read.
  DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
}
