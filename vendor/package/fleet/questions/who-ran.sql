-- Runs of wget on any host last Tuesday, with the login that started them.
SELECT
    time, host, login_uid, uid, unit, parent_comm,
    arrayStringConcat(args, ' ') AS command
FROM bpftrap.records FINAL
WHERE event = 'exec' AND errno IS NULL
    AND toYYYYMMDD(time) = toYYYYMMDD(today() - ((toDayOfWeek(today()) + 4) % 7 + 1))
    AND (exe LIKE '%/wget' OR filename LIKE '%/wget')
ORDER BY time, host
