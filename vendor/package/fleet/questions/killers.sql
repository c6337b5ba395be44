-- Senders of the signals that ended processes in the last seven days, with their command.
SELECT host, at, signal, victim, victims, killer, killer_login, killer_command
FROM
(
    SELECT
        host, boot_id, assumeNotNull(killer_id) AS id, min(time) AS at, any(signal) AS signal,
        comm AS victim, count() AS victims, any(killer_comm) AS killer
    FROM bpftrap.records FINAL
    WHERE event = 'exit' AND killer_id IS NOT NULL AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6)
    GROUP BY host, boot_id, id, victim
)
ANY LEFT JOIN
(
    SELECT
        host, boot_id, id, argMax(login_uid, boot_ns) AS killer_login,
        argMax(arrayStringConcat(args, ' '), boot_ns) AS killer_command
    FROM bpftrap.records
    WHERE event = 'exec' AND errno IS NULL AND id IN
    (
        SELECT assumeNotNull(killer_id) FROM bpftrap.records
        WHERE event = 'exit' AND killer_id IS NOT NULL AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6)
    )
    GROUP BY host, boot_id, id
)
USING host, boot_id, id
ORDER BY at
LIMIT 20
