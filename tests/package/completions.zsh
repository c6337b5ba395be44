# zsh -f completions.zsh DIRECTORY LINE: prints what zsh offers for a command line, one candidate a
# line. DIRECTORY has _bpftrap. Completion needs a terminal, which the inner shell gets.
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner "
PROMPT= RPROMPT=
fpath=($1 \$fpath)
autoload -Uz compinit && compinit -u -D
zstyle ':completion:*' list-prompt ''
compadd() {
  local -a found hidden
  [[ \"\$*\" == *-[OAD]\ * ]] || {
    builtin compadd -A found \"\$@\"
    zparseopts -E p:=hidden
    print -rl -- '' \"OFFER \$IPREFIX\$hidden[2]\"\${^found}
  }
  builtin compadd \"\$@\"
}
offer() { zle complete-word; print -r -- ''; print -r -- 'END OFFERS' }
zle -N offer
bindkey '^I' offer
print -r -- 'RE''ADY'"

# until_line TEXT: reads lines up to one that has TEXT, for 20 s at most, into `lines`.
until_line() {
  lines=()
  local line
  integer end=$((SECONDS + 20))
  while ((SECONDS < end)); do
    if zpty -rt inner line; then
      line=${${line//$'\r'/}%$'\n'}
      [[ $line != $1* ]] || return 0
      lines+=("$line")
    else
      sleep 0.02
    fi
  done
  print -u2 "no $1 from zsh"
  print -u2 -rl -- $lines
  exit 1
}

until_line READY
zpty -wn inner "$2"$'\t'
until_line 'END OFFERS'
print -rl -- ${${(M)lines:#OFFER *}#OFFER }
