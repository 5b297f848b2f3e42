-- How many answers to each cell's own trials took how long, in bins that grow by a fixed factor.
WITH binned AS (
    SELECT suite, model, CAST(floor($per_decade * log10(greatest(latency_ms, 0.1))) AS INTEGER) AS bin
    FROM calls
    WHERE run_id = $run_id AND role = 'model' AND status = 'answered' AND phase IN ('planned', 'baseline')
        AND latency_ms IS NOT NULL
)
SELECT
    suite,
    model,
    pow(10, bin / $per_decade) AS low_ms,
    pow(10, (bin + 1) / $per_decade) AS high_ms,
    count(*) AS calls
FROM binned
GROUP BY suite, model, bin
ORDER BY suite, model, bin
