-- Of each case that is asked for, the first answer that counts as wanted, or the first of all where none does.
WITH wanted AS (
    SELECT unnest(from_json($cases, '[{"case_id": "VARCHAR", "outcome": "VARCHAR"}]'), recursive := true)
)
SELECT calls.case_id, calls.run_id, calls.output
FROM calls
JOIN wanted ON wanted.case_id = calls.case_id
JOIN outcomes
    ON outcomes.run_id = calls.run_id AND outcomes.suite = calls.suite AND outcomes.model = calls.model
        AND outcomes.case_id = calls.case_id AND outcomes.trial = calls.trial AND outcomes.phase = calls.phase
WHERE list_contains($run_ids, calls.run_id) AND calls.suite = $suite AND calls.model = $model AND calls.role = 'model'
    AND list_contains($phases, calls.phase)
QUALIFY row_number() OVER (
    PARTITION BY calls.case_id
    ORDER BY outcomes.outcome = wanted.outcome DESC, calls.run_id, calls.phase DESC, calls.trial
) = 1
