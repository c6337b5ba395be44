-- Shells whose standard input was a socket in the last seven days, and the programs that they started.
-- The recorder needs --stdio for this.
SELECT at, host, uid, unit, parent_comm, command, started
FROM
(
    SELECT
        time AS at, host, boot_id, id, uid, unit, parent_comm,
        arrayStringConcat(args, ' ') AS command
    FROM bpftrap.records FINAL
    WHERE event = 'exec' AND errno IS NULL AND stdin LIKE 'socket:%'
        AND match(assumeNotNull(exe), '/(ba|da|z|k|fi|)sh$') AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6)
)
ANY LEFT JOIN
(
    SELECT
        host, boot_id, assumeNotNull(parent_id) AS id,
        groupArray(arrayStringConcat(args, ' ')) AS started
    FROM
    (
        SELECT host, boot_id, parent_id, args
        FROM bpftrap.records FINAL
        WHERE event = 'exec' AND errno IS NULL AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6) AND parent_id IN
        (
            SELECT id FROM bpftrap.records
            WHERE event = 'exec' AND stdin LIKE 'socket:%' AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6)
        )
        ORDER BY boot_ns
    )
    GROUP BY host, boot_id, id
)
USING host, boot_id, id
ORDER BY at
