-- A cell's own trials, without what was asked to confirm or probe. A judge's call counts as cost, not as latency.
-- A sum is NULL where the price of any answer is not known.
WITH measured AS (
    SELECT
        suite,
        model,
        count(DISTINCT case_id) AS n_cases,
        count(DISTINCT case_id) FILTER (outcome <> 'unmeasured') AS n_measured,
        count(*) AS trials,
        count(*) FILTER (outcome <> 'unmeasured') AS measured_trials,
        count(*) FILTER (outcome = 'passed') AS passed_trials
    FROM outcomes
    WHERE run_id = $run_id AND phase IN ('planned', 'baseline')
    GROUP BY suite, model
),
asked AS (
    SELECT
        suite,
        model,
        count(*) AS calls,
        quantile_cont(latency_ms, 0.5) FILTER (role = 'model' AND status = 'answered') AS p50_ms,
        quantile_cont(latency_ms, 0.95) FILTER (role = 'model' AND status = 'answered') AS p95_ms,
        coalesce(sum(cost_usd) FILTER (role = 'model'), 0) AS cost_usd,
        coalesce(sum(cost_usd) FILTER (role = 'judge'), 0) AS judge_cost_usd,
        count(*) FILTER (role = 'model' AND status = 'answered' AND cost_usd IS NULL) AS unknown_costs,
        count(*) FILTER (role = 'judge' AND status = 'answered' AND cost_usd IS NULL) AS unknown_judge_costs,
        count(*) FILTER (role = 'model' AND finish_reason = 'length') AS truncated,
        list_sort(list(DISTINCT served_model) FILTER (role = 'model' AND served_model IS NOT NULL)) AS served_models,
        list_sort(list(DISTINCT system_fingerprint) FILTER (role = 'model' AND system_fingerprint IS NOT NULL))
            AS fingerprints,
        max(params) FILTER (role = 'model') AS params
    FROM calls
    WHERE run_id = $run_id AND phase IN ('planned', 'baseline')
    GROUP BY suite, model
)
SELECT
    suite,
    model,
    n_cases,
    n_measured,
    trials,
    measured_trials,
    passed_trials,
    coalesce(calls, 0) AS calls,
    p50_ms,
    p95_ms,
    CASE WHEN coalesce(unknown_costs, 0) = 0 THEN coalesce(cost_usd, 0) END AS cost_usd,
    CASE WHEN coalesce(unknown_judge_costs, 0) = 0 THEN coalesce(judge_cost_usd, 0) END AS judge_cost_usd,
    coalesce(unknown_costs, 0) AS unknown_costs,
    coalesce(unknown_judge_costs, 0) AS unknown_judge_costs,
    coalesce(truncated, 0) AS truncated,
    coalesce(served_models, []) AS served_models,
    coalesce(fingerprints, []) AS fingerprints,
    params
FROM measured LEFT JOIN asked USING (suite, model)
ORDER BY suite, model
