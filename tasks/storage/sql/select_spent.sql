-- Every call of a run, by what it was for. A sum is NULL where the price of any answer is not known.
SELECT
    CASE
        WHEN role = 'probe' OR phase = 'probe' THEN 'probes'
        WHEN phase = 'confirm' THEN 'confirmation'
        WHEN role = 'judge' THEN 'judges'
        ELSE 'cells'
    END AS what,
    count(*) AS calls,
    CASE
        WHEN count(*) FILTER (status = 'answered' AND cost_usd IS NULL) = 0 THEN coalesce(sum(cost_usd), 0)
    END AS cost_usd
FROM calls
WHERE run_id = $run_id
GROUP BY what
ORDER BY list_position(['cells', 'judges', 'confirmation', 'probes'], what)
