# Of googletest's XML report, prints a line per case: `passed`, `failed` or `skipped`, a tab, its suite
# and name, and why it was skipped. Cases that a filter left out are left out.
function value(key,   at) {
  at = match($0, " " key "=\"[^\"]*\"")
  return at ? substr($0, at + length(key) + 3, RLENGTH - length(key) - 4) : ""
}
function flush() { if (name != "") print outcome "\t" name; name = "" }
/^ *<testcase / {
  flush()
  name = value("classname") "." value("name")
  if (value("status") == "notrun" && value("result") == "suppressed" && name !~ /DISABLED_/)
    name = ""
  outcome = value("result") == "completed" ? "passed" : "skipped"
}
/^ *<skipped / {
  why = value("message")
  sub(/^[^&]*&#x0A;/, "", why)  # the place in the source
  if (why != "") name = name ": " why
}
/^ *<failure / { outcome = "failed" }
END { flush() }
