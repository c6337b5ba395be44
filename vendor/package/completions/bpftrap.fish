# What the lines above call. Those are generated, and so is __bpftrap_paths.

# Prints the words before the cursor, without `bpftrap`.
function __bpftrap_words
    set -l words (commandline -opc)
    set -e words[1]
    printf '%s\n' $words
end

# Whether the words before the cursor are those of this command, and not of PROGRAM.
function __bpftrap_at --argument-names path
    set -l found bpftrap
    for word in (__bpftrap_words)
        test "$word" != --; or return 1
        if contains -- "$found $word" (__bpftrap_paths)
            set found "$found $word"
        end
    end
    test "$found" = "$path"
end

# Whether the words before the cursor are those of this command's PROGRAM.
function __bpftrap_at_program --argument-names path
    set -l words (__bpftrap_words)
    contains -- -- $words; and string match -q -- "$path *" "bpftrap $words "
end

function __bpftrap_program
    set -l words (__bpftrap_words)
    set -e words[1..(contains -i -- -- $words)]
    complete -C (string join -- ' ' (string escape -- $words) (commandline -ct))
end

# Processes with their names.
function __bpftrap_pid
    grep -s '^' /proc/*/comm | string replace -rf '^/proc/([0-9]+)/comm:(.*)' '$1'\t'$2'
end

function __bpftrap_user
    __fish_complete_users
end

# Paths within the hierarchy, as records show them.
function __bpftrap_cgroup
    set -l mount (string match -rg '^\S+ (\S+) cgroup2 ' </proc/self/mounts)[1]
    test -n "$mount"; or set mount /sys/fs/cgroup
    set -l directory (string match -r '.*/' -- (commandline -ct); or echo /)
    for child in $mount$directory*/
        string replace -- $mount '' $child | string trim -r -c /
    end
end

function __bpftrap_directory
    __fish_complete_directories (commandline -ct)
end

function __bpftrap_choice
    printf '%s\n' $argv
end

# Some of these, separated by commas. A list may begin with +.
function __bpftrap_list
    set -l before (string match -r '^\+?(?:.*,)?' -- (commandline -ct))
    printf '%s\n' $before$argv
end

function __bpftrap_command
    __bpftrap_paths | string replace -rf '^bpftrap (\S+)$' '$1'
end
