SELECT run_id, suite, model, baseline_run_id, case_id, direction, baseline_output, output
FROM flips
WHERE run_id = $run_id AND suite = $suite AND model = $model
ORDER BY direction DESC, case_id
