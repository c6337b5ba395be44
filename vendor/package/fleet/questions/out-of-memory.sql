-- Units and containers that lost processes to the out-of-memory killer in the last seven days.
SELECT
    if(container_id IS NULL, unit, concat('container ', substring(assumeNotNull(container_id), 1, 12))) AS owner,
    host,
    count() AS kills,
    max(time) AS latest,
    round(max(peak_rss_bytes) / 1048576) AS peak_mib,
    arraySort(groupUniqArray(comm)) AS programs
FROM bpftrap.records FINAL
WHERE event = 'exit' AND oom_killed AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6)
GROUP BY owner, host
ORDER BY kills DESC, owner, host
