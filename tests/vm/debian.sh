# shellcheck shell=bash
# Sourced by run.sh: downloads Debian packages of other suites and processors, from the mirrors of this
# machine. It uses a separate apt state (sources, lists, cache), so it installs nothing and leaves the
# machine's state alone.

# Prints the mirror of SUITE: that of Debian in the machine's sources, or that of Debian's security
# updates for a *-security suite. Prints nothing if there is none.
mirror_of() {
  local kind=main
  [[ $1 != *-security ]] || kind=security
  # Without fetched lists, apt does not know the origin and prints the placeholder itself.
  # shellcheck disable=SC2016 # apt's variables
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
    'Created-By: Packages' |
    awk -v kind="$kind" '
      $3 == "main" && ($4 == "Debian" || $4 ~ /^\$/) && (kind == "security") == ($2 ~ /-security$/) {
        print $1
        exit
      }'
}

# debian_sources DIRECTORY SUITE...: creates the state of an apt with these suites in DIRECTORY.
debian_sources() {
  local directory=$1 suite mirror options=""
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg
  shift
  [[ ! -r $keys ]] || options="[signed-by=$keys] "
  mkdir -p "$directory"/{none,state,lists/partial,cache/archives/partial}
  : >"$directory/status"
  for suite in "$@"; do
    mirror=$(mirror_of "$suite")
    [[ -z $mirror ]] || echo "deb $options$mirror $suite main"
  done >"$directory/sources.list"
  if [[ ! -s $directory/sources.list ]]; then
    echo "tests/vm: this machine's apt sources have no mirror of Debian with $*" >&2
    return 1
  fi
}

# debian_apt DIRECTORY PROCESSOR PROGRAM ARGS...: runs an apt program with that state.
debian_apt() {
  local directory=$1 processor=$2 program=$3
  shift 3
  "$program" \
    -o Dir::Etc::sourcelist="$directory/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$directory/none" \
    -o Dir::State="$directory/state" -o Dir::State::status="$directory/status" \
    -o Dir::State::lists="$directory/lists" -o Dir::Cache="$directory/cache" \
    -o APT::Architecture="$processor" -o APT::Architectures="$processor" \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none \
    -o Acquire::Check-Valid-Until=false `# suites that are not updated any more` \
    "$@"
}

# fetch_kernel DIRECTORY PROCESSOR VERSION SUITE...: downloads the newest cloud kernel whose version
# begins with VERSION. DIRECTORY then has `vmlinuz`, and the output of `uname -r` in `release`. Existing
# files are kept.
fetch_kernel() {
  local directory=$1 processor=$2 version=$3 apt=$1/apt package packages image
  local pattern=${version//./[.]}
  shift 3
  debian_sources "$apt" "$@" && debian_apt "$apt" "$processor" apt-get update -qq || return
  # In newer suites a linux-image is empty and needs the linux-binary of the same version. Packages without
  # a full version are also empty. This pattern excludes -dbg and -unsigned ones.
  packages=$(debian_apt "$apt" "$processor" apt-cache search --names-only \
    "^linux-(image|binary)-${pattern:-[0-9]}.*-cloud-$processor\$" |
    sed -n 's/^\(linux-[a-z]*-[0-9]*\.[0-9]*\.[^ ]*\) .*/\1/p')
  package=$(cut -d - -f 3- <<<"$packages" | sort -V | tail -n 1)
  if [[ -z $package ]]; then
    echo "tests/vm: $* has no kernel ${version:-at all}: see tests/vm/kernels.txt" >&2
    return 1
  fi
  if [[ -s $directory/vmlinuz && $(cat "$directory/release") == "$package" ]]; then
    return 0
  fi
  rm -rf "$directory"/{vmlinuz,release,unpacked} "$directory"/*.deb
  if grep -qx "linux-binary-$package" <<<"$packages"; then
    image=linux-binary-$package
  else
    image=linux-image-$package
  fi
  echo "Fetching $image" >&2
  (cd "$directory" && debian_apt "$PWD/apt" "$processor" apt-get download -qq "$image") &&
    dpkg-deb -x "$directory"/*.deb "$directory/unpacked" || return
  cp "$(find "$directory/unpacked" -name 'vmlinuz*' -type f | head -n 1)" "$directory/vmlinuz" &&
    echo "$package" >"$directory/release"
  rm -rf "$directory/unpacked" "$directory"/*.deb
  [[ -s $directory/vmlinuz ]]
}
