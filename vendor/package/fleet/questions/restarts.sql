-- Units that were started more often in the last seven days than in the seven days before.
-- systemd starts a unit by a child of process 1. A child counts once, whatever it executes.
SELECT
    unit, host,
    uniqExactIf(boot_id, id, toDate(time) < today() - 6) AS before,
    uniqExactIf(boot_id, id, toDate(time) >= today() - 6) AS now
FROM bpftrap.records FINAL
WHERE event = 'exec' AND errno IS NULL AND ppid = 1 AND unit IS NOT NULL
    AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 13)
GROUP BY unit, host
HAVING now > before
ORDER BY now - before DESC, unit, host
LIMIT 10
