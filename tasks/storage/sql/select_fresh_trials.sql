-- What came of the trials that were asked to confirm.
SELECT case_id, trial, CASE outcome WHEN 'passed' THEN TRUE WHEN 'failed' THEN FALSE END AS passed
FROM outcomes
WHERE run_id = $run_id AND suite = $suite AND model = $model AND phase = 'confirm'
ORDER BY case_id, trial
