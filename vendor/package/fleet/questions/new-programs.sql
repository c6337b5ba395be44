-- Programs that ran for the first time in the last seven days. "First" means the first time in the table, so
-- the table should hold more than a week. The question reads all days, so it does without FINAL, and counts
-- processes, not records.
SELECT
    if(interp IS NULL, exe, filename) AS program,
    min(time) AS first,
    argMin(host, time) AS first_host,
    uniqExact(host) AS hosts,
    uniq(boot_id, id) AS processes
FROM bpftrap.records
WHERE event = 'exec' AND errno IS NULL
GROUP BY program
HAVING toDate(first) >= today() - 6
ORDER BY first
LIMIT 20
