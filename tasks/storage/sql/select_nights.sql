-- Every stored cell of a finished run, and whether it was found to have moved against its own baseline.
SELECT
    cells.suite,
    cells.model,
    cells.run_id,
    runs.flow,
    runs.started_at,
    cells.trials,
    cells.covered,
    coalesce(
        comparisons.baseline_model = cells.model AND comparisons.verdict IN ('regressed', 'improved'), FALSE
    ) AS moved,
    cells.served_models,
    cells.judges,
    cells.params_hash,
    cells.prompt_hash,
    cells.dataset_hash,
    cells.scorers_hash
FROM cells
JOIN runs USING (run_id)
LEFT JOIN comparisons USING (run_id, suite, model)
WHERE runs.status = 'finished'
ORDER BY runs.started_at, cells.run_id
