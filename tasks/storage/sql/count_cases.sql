SELECT count(DISTINCT case_id)
FROM outcomes
WHERE run_id = $run_id AND suite = $suite AND model = $model AND list_contains($phases, phase)
