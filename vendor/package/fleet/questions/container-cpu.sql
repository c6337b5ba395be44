-- CPU time of processes that lived less than a second yesterday, by container. Programs that sample /proc
-- hardly see them.
SELECT
    substring(assumeNotNull(container_id), 1, 12) AS container,
    host,
    count() AS processes,
    round(sum(cpu_user_ns + cpu_sys_ns) / 1e9, 1) AS cpu_s,
    round(avg(duration_ns) / 1e6, 1) AS mean_ms,
    topK(1)(comm)[1] AS mostly
FROM bpftrap.records FINAL
WHERE event = 'exit' AND duration_ns < 1000000000 AND container_id IS NOT NULL
    AND toYYYYMMDD(time) = toYYYYMMDD(today() - 1)
GROUP BY container, host
ORDER BY cpu_s DESC
LIMIT 10
