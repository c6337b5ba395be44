-- Logins that ran sudo in the last seven days, with the commands.
SELECT
    login_uid, host,
    uniqExact(audit_session) AS logins,
    count() AS times,
    max(time) AS latest,
    arraySort(groupUniqArray(arrayStringConcat(args, ' '))) AS commands
FROM bpftrap.records FINAL
WHERE event = 'exec' AND errno IS NULL AND exe LIKE '%/sudo' AND login_uid IS NOT NULL
    AND toYYYYMMDD(time) >= toYYYYMMDD(today() - 6)
GROUP BY login_uid, host
ORDER BY times DESC, login_uid, host
