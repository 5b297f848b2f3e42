SELECT suite, model, run_id, pinned_at, pinned_by
FROM baselines
ORDER BY suite, model
