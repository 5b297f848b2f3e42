SELECT count(DISTINCT case_id)
FROM outcomes
WHERE list_contains($run_ids, run_id) AND suite = $suite AND model = $model AND list_contains($phases, phase)
