#!/bin/bash
# Sends what is new in a recorder's directory to ClickHouse, at least once. docs/fleet.md explains it.
#
#   BPFTRAP_SHIP_URL     HTTP interface of the server, such as https://clickhouse.example:8443/
#   BPFTRAP_SHIP_CURL    file with options of curl, such as `user = "shipper:password"`; optional
#   BPFTRAP_SHIP_FROM    the recorder's directory, or a recording: /var/lib/bpftrap
#   BPFTRAP_SHIP_EVENTS  events to send: exec,failed,exit
#   BPFTRAP_SHIP_BATCH   records per INSERT: 50000
#   STATE_DIRECTORY      directory of the cursor: /var/lib/bpftrap-ship
set -euo pipefail

: "${BPFTRAP_SHIP_URL:?is not set, see docs/fleet.md}"
from=${BPFTRAP_SHIP_FROM:-/var/lib/bpftrap}
events=${BPFTRAP_SHIP_EVENTS:-exec,failed,exit}
batch=${BPFTRAP_SHIP_BATCH:-50000}
cd "${STATE_DIRECTORY:-/var/lib/bpftrap-ship}"

# The pipeline below inherits the lock. If this script is killed alone, the next one does not begin before
# that pipeline has ended.
exec 9>lock
flock --nonblock 9 || { echo "another shipper is running" >&2; exit 0; }

insert="${BPFTRAP_SHIP_URL%/}/?input_format_skip_unknown_fields=1"
insert+="&query=INSERT+INTO+bpftrap.records+FORMAT+JSONEachRow"
options=(--silent --show-error --fail-with-body --connect-timeout 10 --max-time 600)
[[ -z ${BPFTRAP_SHIP_CURL:-} ]] || options+=(--config "$BPFTRAP_SHIP_CURL")

# Leaves out keys whose value is null, because ClickHouse 18 knows no null array. A string cannot contain
# the pattern: its quotes have a backslash in front. Writes the number of lines to the file `sent`.
# shellcheck disable=SC2016 # a variable of awk
without_null='{ gsub(/,"[a-z_]+":null/, ""); print } END { print NR >"sent" }'

sent=$batch
while [[ $sent -ge $batch ]]; do
  rm -f cursor.new
  [[ ! -e cursor ]] || cp cursor cursor.new
  bpftrap show --json --event "$events" --count "$batch" --cursor-file cursor.new "$from" |
    awk "$without_null" |
    gzip -1 |
    curl "${options[@]}" -H "Content-Encoding: gzip" -H "Expect:" --upload-file - "$insert"
  # The server has the batch. A crash before the next line sends it once more.
  sync cursor.new
  mv cursor.new cursor
  sent=$(<sent)
done
