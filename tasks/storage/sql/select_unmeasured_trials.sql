SELECT case_id, trial, phase
FROM outcomes
WHERE run_id = $run_id AND suite = $suite AND model = $model AND list_contains($phases, phase) AND outcome = 'unmeasured'
