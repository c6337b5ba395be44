# shellcheck shell=bash
# Sourced by the soaks: prints whether what they expect holds.

failed=0

# verdict CONDITION TEXT: CONDITION is arithmetic. `failed` is 1 if one does not hold.
verdict() {
  if (($1)); then
    echo "ok      $2"
  else
    echo "FAILED  $2"
    # shellcheck disable=SC2034 # the exit status of the script
    failed=1
  fi
}
