# shellcheck shell=bash
# What bash calls to complete bpftrap's command line. _bpftrap_command and _bpftrap_value come before
# this and are generated. They set variables that _bpftrap declares.
# shellcheck disable=SC2154,SC2034

# _bpftrap_offer KIND...: adds values of these kinds that begin with `cur` to COMPREPLY.
_bpftrap_offer() {
  local kind
  for kind in "$@"; do
    case $kind in
      pid) _bpftrap_pids ;;
      user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
      cgroup) _bpftrap_cgroups ;;
      file) _bpftrap_paths -f ;;
      directory) _bpftrap_paths -d ;;
      choice) mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$cur") ;;
      list) _bpftrap_list ;;
      command)
        local options commands
        _bpftrap_command bpftrap
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
        ;;
    esac
  done
}

_bpftrap_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do
    COMPREPLY+=("$path")
  done < <(compgen "$1" -- "$cur")
}

# Several pids are listed with their names. One is completed without, and so is a menu's (COMP_TYPE %).
_bpftrap_pids() {
  local directory pid name
  local -a pids=() named=()
  for directory in /proc/[0-9]*; do
    pid=${directory#/proc/}
    [[ $pid == "$cur"* ]] || continue
    { read -r name <"$directory/comm"; } 2>/dev/null || continue
    pids+=("$pid")
    named+=("$pid ($name)")
  done
  if [[ ${#pids[@]} -gt 1 && ${COMP_TYPE:-9} != 37 ]]; then
    COMPREPLY+=("${named[@]}")
  else
    COMPREPLY+=("${pids[@]}")
  fi
}

# Paths within the hierarchy, as records show them.
_bpftrap_cgroups() {
  local mount type path _rest
  while read -r _rest mount type _rest; do
    [[ $type != cgroup2 ]] || break
  done </proc/self/mounts
  [[ $type == cgroup2 ]] || mount=/sys/fs/cgroup
  compopt -o filenames -o nospace 2>/dev/null
  for path in "$mount/${cur#/}"*/; do
    path=${path%/}
    [[ ! -d $path ]] || COMPREPLY+=("${path#"$mount"}")
  done
}

# The last element of a list that is separated by commas, and may begin with +.
_bpftrap_list() {
  local before=''
  if [[ $cur == *,* ]]; then
    before=${cur%,*},
  elif [[ $cur == +* ]]; then
    before=+
  fi
  compopt -o nospace 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$offered" -- "${cur#"$before"}")
}

# _bpftrap_program N: completes the command line that begins with word N.
_bpftrap_program() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1" # of bash-completion
  elif [[ $COMP_CWORD -eq $1 ]]; then
    mapfile -t COMPREPLY < <(compgen -c -- "$cur")
  else
    _bpftrap_paths -f
  fi
}

_bpftrap() {
  local cur=${COMP_WORDS[COMP_CWORD]} path=bpftrap option='' word i
  local options='' commands='' kinds='' offered='' optional=''
  COMPREPLY=()
  _bpftrap_command "$path"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ -n $option ]]; then
      [[ $word == = ]] || option='' # bash makes three words of --name=value
    elif [[ $word == -- ]]; then
      _bpftrap_program $((i + 1))
      return
    elif [[ $word == -* ]]; then
      optional=''
      if _bpftrap_value "$path" "$word" && [[ -z $optional || ${COMP_WORDS[i + 1]} == = ]]; then
        option=$word
      fi
    elif [[ " $commands " == *" $word "* ]]; then
      path+=" $word"
      _bpftrap_command "$path"
    fi
  done
  [[ $cur != = ]] || cur=''
  if [[ -n $option ]]; then
    _bpftrap_value "$path" "$option"
    # shellcheck disable=SC2086 # words
    _bpftrap_offer $kinds
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  elif [[ -n $commands ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
  else
    _bpftrap_command "$path"
    # shellcheck disable=SC2086 # words
    _bpftrap_offer $kinds
  fi
}

complete -F _bpftrap bpftrap
