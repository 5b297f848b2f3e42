-- A cell's pass rate over the last nights, oldest first.
SELECT started_at, pass_rate, ci_low, ci_high
FROM cells JOIN runs USING (run_id)
WHERE suite = $suite AND model = $model AND flow = 'nightly'
ORDER BY started_at DESC
LIMIT $most
