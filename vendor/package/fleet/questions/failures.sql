-- Commands that failed most in the last seven days, by host. The rate tells a broken host from a command that
-- fails by design, such as grep.
SELECT
    host, comm, parent_comm,
    countIf(exit_code != 0 OR signal IS NOT NULL) AS failed,
    count() AS runs,
    round(100 * failed / runs, 1) AS percent,
    topKIf(1)(ifNull(signal, toString(exit_code)), exit_code != 0 OR signal IS NOT NULL)[1] AS mostly
FROM bpftrap.records FINAL
WHERE event = 'exit' AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6)
GROUP BY host, comm, parent_comm
HAVING failed > 0
ORDER BY failed DESC, host, comm
LIMIT 10
