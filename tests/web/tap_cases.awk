# Prints the cases of TAP as node's test runner writes it: a line `ok` or `not ok` that stands inside of
# no other case. Older versions of node make a case of each file, whose cases are indented.
/# SKIP test name does not match/ { next }
/^ *(not )?ok [0-9]+ - / {
  match($0, /^ */)
  depth = RLENGTH
  line = substr($0, depth + 1)
  outcome = line ~ /^not ok/ ? "not ok" : line ~ /# SKIP/ ? "skipped" : "ok"
  sub(/^(not )?ok [0-9]+ - /, "", line)
  sub(/ # .*/, "", line)
  # A line behind deeper ones sums them up.
  if (depth == 0 && had_deeper) {
    had_deeper = 0
    if (!(outcome == "not ok" && !deeper_failed)) {
      deeper_failed = 0
      next
    }
  }
  if (depth > 0) {
    had_deeper = 1
    deeper_failed = deeper_failed || outcome == "not ok"
  }
  print outcome "\t" line
}
