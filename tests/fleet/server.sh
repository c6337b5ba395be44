# shellcheck shell=bash
# Sourced: a ClickHouse server in the directory `scratch`, on free ports of 127.0.0.1. Debian's package is
# unpacked instead of installed, because its installation adds a service and a user. The caller sets
# `scratch`, `engine` (the directory that find_engine prints), `http_port`, `tcp_port` and `url`.

# Prints a directory that has clickhouse-server and clickhouse-client; fetches them once into $1.
find_engine() {
  local package
  if [[ ! -e $1/complete ]]; then
    rm -rf "$1"
    mkdir -p "$1" || return
    for package in clickhouse-server clickhouse-client; do
      (cd "$1" && apt-get download -qq "$package" >&2 && dpkg -x "$package"_*.deb . &&
        rm "$package"_*.deb) || return
    done
    mv "$1"/usr/*bin/clickhouse-* "$1" && touch "$1/complete" || return
  fi
  echo "$1"
}

# free_port: prints the number of a TCP port on which nobody listens.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

write_server_config() {
  mkdir -p "${scratch:?}/engine"
  cat >"$scratch/engine/config.xml" <<END
<?xml version="1.0"?>
<yandex>
  <logger><level>warning</level><log>$scratch/engine/log</log></logger>
  <http_port>${http_port:?}</http_port>
  <tcp_port>${tcp_port:?}</tcp_port>
  <listen_host>127.0.0.1</listen_host>
  <path>$scratch/engine/data/</path>
  <tmp_path>$scratch/engine/tmp/</tmp_path>
  <mark_cache_size>67108864</mark_cache_size>
  <users_config>users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <timezone>UTC</timezone>
</yandex>
END
  cat >"$scratch/engine/users.xml" <<'END'
<?xml version="1.0"?>
<yandex>
  <profiles><default><max_memory_usage>4000000000</max_memory_usage></default></profiles>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </default>
  </users>
  <quotas><default></default></quotas>
</yandex>
END
}

# Starts the server, and returns when it answers.
start_server() {
  local _
  (cd "$scratch/engine" && exec setsid "${engine:?}/clickhouse-server" --config-file=config.xml) \
    >"$scratch/engine/out" 2>&1 &
  server=$!
  for _ in {1..300}; do
    [[ $(curl -s "${url:?}") != Ok. ]] || return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  echo "the server did not start:"
  cat "$scratch/engine/out"
  return 1
}

# stop_server [SIGNAL]
stop_server() {
  [[ -n ${server:-} ]] || return 0
  kill "-${1:-TERM}" "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  server=
}

# ask [OPTIONS]: runs the SQL on standard input.
ask() {
  "$engine/clickhouse-client" --port "$tcp_port" "$@"
}

# Merges until each partition has one part. A merge in the background may be in the way.
merge_parts() {
  local _
  for _ in {1..120}; do
    ask <<<'OPTIMIZE TABLE bpftrap.records FINAL' || return
    [[ $(ask <<<"SELECT count() - uniqExact(partition) FROM system.parts
      WHERE table = 'records' AND active") -ne 0 ]] || return 0
    sleep 1
  done
  echo "the parts were not merged"
  return 1
}

# ask_question NAME: runs a question of the package on the day on which the simulated fleet ends.
ask_question() {
  sed "s/today()/toDate('2026-11-25')/g" "vendor/package/fleet/questions/$1.sql" |
    ask --format PrettySpace | sed $'s/\e\\[[0-9;]*m//g; s/ *$//'
}
