-- One page, from behind the row that the page before ended with.
SELECT case_id, trial, phase, output, status, finish_reason
FROM calls
WHERE run_id = $run_id AND suite = $suite AND model = $model AND role = 'model' AND list_contains($phases, phase)
    AND ($case_ids IS NULL OR case_id IN (SELECT unnest(from_json($case_ids, '["VARCHAR"]'))))
    AND (case_id, trial, phase) > ($after_case, $after_trial, $after_phase)
ORDER BY case_id, trial, phase
LIMIT $rows
