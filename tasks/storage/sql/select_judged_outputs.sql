-- The outputs of a cell that judge scorers spoke of, with what they said.
SELECT scores.scorer, scores.case_id, scores.trial, calls.output, scores.passed
FROM scores
JOIN calls USING (run_id, suite, model, case_id, trial, phase)
WHERE run_id = $run_id AND suite = $suite AND model = $model AND phase IN ('planned', 'baseline')
    AND list_contains($scorers, scores.scorer) AND scores.passed IS NOT NULL AND calls.role = 'model'
    AND calls.output IS NOT NULL
ORDER BY scores.scorer, scores.case_id, scores.trial
