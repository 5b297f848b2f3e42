SELECT
    run_id, suite, model, dataset_hash, prompt_hash, scorers_hash, params_hash, n_cases, n_measured, trials, pass_rate,
    ci_low, ci_high, p50_ms, p95_ms, cost_usd, judge_cost_usd, cost_per_action_usd, verdict, simulated
FROM cells
WHERE run_id = $run_id
ORDER BY suite, model
