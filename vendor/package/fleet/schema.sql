-- The table of a fleet, for ClickHouse 18.16 and later. docs/fleet.md explains it.
--
--     clickhouse-client --multiquery < schema.sql
--
-- The columns are the keys of docs/records.md. A key that may be null is Nullable, except `boot_id` and the
-- arrays, which ClickHouse does not allow to be. A record leaves the columns of other kinds empty.

CREATE DATABASE IF NOT EXISTS bpftrap;

CREATE TABLE IF NOT EXISTS bpftrap.records
(
    -- every record
    event String,
    ts String,
    host String,
    boot_id String,
    time DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(ts),

    -- start
    boot_ns UInt64, -- also of fork, exec and exit
    version UInt32,
    bpftrap String,
    kernel String,
    command String,

    -- fork, exec and exit: identity
    id String,
    parent_id Nullable(String),
    pid UInt32,
    ppid UInt32,
    local_pid Nullable(UInt32),
    parent_comm String,
    uid UInt32,
    gid UInt32,
    euid UInt32,
    egid UInt32,
    login_uid Nullable(UInt32),
    audit_session Nullable(UInt32),
    session_id UInt32,
    process_group UInt32,
    tty Nullable(String),
    comm String,
    cgroup Nullable(String),
    unit Nullable(String),
    container_id Nullable(String),
    pid_ns_inode UInt64,
    ns_pid UInt32,

    -- exec
    filename Nullable(String),
    interp Nullable(String),
    exe Nullable(String),
    exe_deleted Nullable(UInt8),
    cwd Nullable(String),
    cwd_deleted Nullable(UInt8),
    args Array(String),
    args_size Nullable(UInt64),
    args_truncated Nullable(UInt8),
    env Array(String),
    stdin Nullable(String),
    stdout Nullable(String),
    stderr Nullable(String),
    cap_effective String,
    secure UInt8,
    errno Nullable(String),

    -- exit
    exit_code Nullable(UInt8),
    signal Nullable(String),
    core_dumped UInt8,
    oom_killed UInt8,
    killer_pid Nullable(UInt32),
    killer_comm Nullable(String),
    killer_id Nullable(String),
    last_signal Nullable(String),
    last_signal_pid Nullable(UInt32),
    last_signal_comm Nullable(String),
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
    mark String MATERIALIZED if(id = '', concat(ts, ' ', toString(ifNull(count, 0) + records), ' ', toString(lost)), '')
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (host, boot_id, boot_ns, id, event, mark);
