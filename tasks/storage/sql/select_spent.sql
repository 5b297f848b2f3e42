-- Every call of a run, whatever it was for. The sum is NULL where the price of any answer is not known.
SELECT
    count(*) AS calls,
    CASE
        WHEN count(*) FILTER (status = 'answered' AND cost_usd IS NULL) = 0 THEN coalesce(sum(cost_usd), 0)
    END AS cost_usd
FROM calls
WHERE run_id = $run_id
