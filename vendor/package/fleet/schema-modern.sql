-- The table of a fleet for recent versions of ClickHouse, such as 24.8. UNTESTED: only schema.sql runs in the
-- tests. The columns are the same. The differences are a time type with nanoseconds, dictionaries for
-- strings that repeat, codecs, and rows that expire by themselves. `ts` needs `date_time_input_format` =
-- 'best_effort' in the profile of the shipping user.
--
--     clickhouse-client --multiquery < schema-modern.sql

CREATE DATABASE IF NOT EXISTS bpftrap;

CREATE TABLE IF NOT EXISTS bpftrap.records
(
    -- every record
    event LowCardinality(String),
    ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD),
    host LowCardinality(String),
    boot_id LowCardinality(String),
    time DateTime('UTC') ALIAS toDateTime(ts),

    -- start
    boot_ns UInt64 CODEC(Delta, ZSTD), -- also of fork, exec and exit
    version UInt32,
    bpftrap LowCardinality(String),
    kernel LowCardinality(String),
    command LowCardinality(String),

    -- fork, exec and exit: identity
    id String,
    parent_id Nullable(String),
    pid UInt32,
    ppid UInt32,
    local_pid Nullable(UInt32),
    parent_comm LowCardinality(String),
    uid UInt32,
    gid UInt32,
    euid UInt32,
    egid UInt32,
    login_uid Nullable(UInt32),
    audit_session Nullable(UInt32),
    session_id UInt32,
    process_group UInt32,
    tty LowCardinality(Nullable(String)),
    comm LowCardinality(String),
    cgroup LowCardinality(Nullable(String)),
    unit LowCardinality(Nullable(String)),
    container_id LowCardinality(Nullable(String)),
    pid_ns_inode UInt64,
    ns_pid UInt32,

    -- exec
    filename LowCardinality(Nullable(String)),
    interp LowCardinality(Nullable(String)),
    exe LowCardinality(Nullable(String)),
    exe_deleted Nullable(UInt8),
    cwd LowCardinality(Nullable(String)),
    cwd_deleted Nullable(UInt8),
    args Array(String) CODEC(ZSTD),
    args_size Nullable(UInt64),
    args_truncated Nullable(UInt8),
    env Array(String),
    stdin LowCardinality(Nullable(String)),
    stdout LowCardinality(Nullable(String)),
    stderr LowCardinality(Nullable(String)),
    cap_effective LowCardinality(String),
    secure UInt8,
    errno LowCardinality(Nullable(String)),

    -- exit
    exit_code Nullable(UInt8),
    signal LowCardinality(Nullable(String)),
    core_dumped UInt8,
    oom_killed UInt8,
    killer_pid Nullable(UInt32),
    killer_comm LowCardinality(Nullable(String)),
    killer_id Nullable(String),
    last_signal LowCardinality(Nullable(String)),
    last_signal_pid Nullable(UInt32),
    last_signal_comm LowCardinality(Nullable(String)),
    last_signal_id Nullable(String),
    last_signal_age_ns Nullable(UInt64),
    parent_blocked UInt8,
    duration_ns UInt64,
    cpu_user_ns UInt64,
    cpu_sys_ns UInt64,
    cpu_wait_ns Nullable(UInt64),
    max_rss_bytes UInt64,
    peak_rss_bytes Nullable(UInt64),
    io_read_bytes Nullable(UInt64),
    io_write_bytes Nullable(UInt64),
    minor_faults UInt64,
    major_faults UInt64,
    voluntary_switches UInt64,
    involuntary_switches UInt64,

    -- lost and stop
    count Nullable(UInt64),
    records UInt64,
    lost UInt64,

    -- Records without an id differ by their time and their numbers.
    mark String MATERIALIZED if(id = '', concat(toString(ts), ' ', toString(ifNull(count, 0) + records), ' ', toString(lost)), '')
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (host, boot_id, boot_ns, id, event, mark)
TTL toDateTime(ts) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1;
