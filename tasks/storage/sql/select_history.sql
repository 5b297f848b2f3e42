-- The cells that a run has, in their latest nights up to that run, oldest first. A rate is that of the comparison where
-- there is one, as it is shown everywhere.
WITH shown AS (
    SELECT DISTINCT suite, model
    FROM cells
    WHERE run_id = $run_id
),
this_run AS (
    SELECT started_at
    FROM runs
    WHERE run_id = $run_id
)
SELECT
    cells.suite,
    cells.model,
    cells.run_id,
    runs.started_at,
    coalesce(comparisons.verdict, cells.verdict) AS verdict,
    CASE WHEN comparisons.drop_pp IS NULL THEN cells.pass_rate ELSE comparisons.pass_rate END AS pass_rate,
    CASE WHEN comparisons.drop_pp IS NULL THEN cells.ci_low ELSE comparisons.rate_ci_low END AS ci_low,
    CASE WHEN comparisons.drop_pp IS NULL THEN cells.ci_high ELSE comparisons.rate_ci_high END AS ci_high,
    cells.n_measured,
    cells.p95_ms,
    cells.cost_usd,
    cells.judge_cost_usd,
    cells.cost_per_action_usd
FROM cells
JOIN shown ON shown.suite = cells.suite AND shown.model = cells.model
JOIN runs ON runs.run_id = cells.run_id
LEFT JOIN comparisons
    ON comparisons.run_id = cells.run_id AND comparisons.suite = cells.suite AND comparisons.model = cells.model
WHERE (runs.flow = 'nightly' OR cells.run_id = $run_id) AND runs.started_at <= (SELECT started_at FROM this_run)
QUALIFY row_number() OVER (PARTITION BY cells.suite, cells.model ORDER BY runs.started_at DESC) <= $most
ORDER BY runs.started_at, cells.run_id, cells.suite, cells.model
