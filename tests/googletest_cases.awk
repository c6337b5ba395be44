# Prints a line per case of googletest's XML report: `passed`, `failed` or `skipped`, a tab, suite and
# name, and the reason if it was skipped. Cases that a filter excluded are left out.
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
  sub(/^[^&]*&#x0A;/, "", why)  # the source location
  if (why != "") name = name ": " why
}
/^ *<failure / { outcome = "failed" }
END { flush() }
