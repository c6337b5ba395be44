# What the functions above call. Those are generated.

# __bpftrap_complete KIND[,KIND...] [OFFERED...]: completes a value of these kinds.
__bpftrap_complete() {
  local kind kinds=$1 result=1
  shift
  for kind in ${(s:,:)kinds}; do
    case $kind in
      pid) __bpftrap_pids && result=0 ;;
      user) _users && result=0 ;;
      cgroup) __bpftrap_cgroups && result=0 ;;
      file) _files && result=0 ;;
      directory) _files -/ && result=0 ;;
      choice) _wanted values expl value compadd -- "$@" && result=0 ;;
      list) __bpftrap_list "$@" && result=0 ;;
      command) _wanted commands expl command compadd -a __bpftrap_commands && result=0 ;;
    esac
  done
  return result
}

# Processes with their names.
__bpftrap_pids() {
  local directory name
  local -a pids
  for directory in /proc/<->(N); do
    { read -r name <$directory/comm } 2>/dev/null || continue
    pids+=("${directory:t}:${name//:/\\:}")
  done
  _describe -t processes process pids
}

# Paths within the hierarchy, as records show them.
__bpftrap_cgroups() {
  local device mount type rest
  while read -r device mount type rest; do
    [[ $type != cgroup2 ]] || break
  done </proc/self/mounts
  [[ $type == cgroup2 ]] || mount=/sys/fs/cgroup
  compset -P '/'
  _path_files -/ -W $mount -P /
}

# Some of these, separated by commas. A list may begin with +.
__bpftrap_list() {
  compset -P '+'
  compset -P '*,'
  _wanted values expl value compadd -q -S , -- "$@"
}

# Completes the command line of PROGRAM. Returns 1 before `--`.
__bpftrap_program() {
  integer at=${words[(ie)--]}
  ((at < CURRENT)) || return 1
  shift $at words
  ((CURRENT -= at))
  _normal
  return 0
}

_bpftrap "$@"
