-- Processes with the most children in the last seven days, and the CPU time of these. A process that is older
-- than the recording has no command here.
SELECT host, children, cpu_s, comm, substring(command, 1, 60) AS command
FROM
(
    SELECT
        host, boot_id, assumeNotNull(parent_id) AS id, any(parent_comm) AS comm, count() AS children,
        round(sum(cpu_user_ns + cpu_sys_ns) / 1e9, 1) AS cpu_s
    FROM bpftrap.records FINAL
    WHERE event = 'exit' AND parent_id IS NOT NULL AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6)
    GROUP BY host, boot_id, id
    ORDER BY children DESC
    LIMIT 10
)
ANY LEFT JOIN
(
    SELECT host, boot_id, id, argMax(arrayStringConcat(args, ' '), boot_ns) AS command
    FROM bpftrap.records
    WHERE event = 'exec' AND errno IS NULL AND id IN
    (
        SELECT assumeNotNull(parent_id) FROM bpftrap.records
        WHERE event = 'exit' AND parent_id IS NOT NULL AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6)
        GROUP BY parent_id
        ORDER BY count() DESC
        LIMIT 20
    )
    GROUP BY host, boot_id, id
)
USING host, boot_id, id
ORDER BY children DESC, host
