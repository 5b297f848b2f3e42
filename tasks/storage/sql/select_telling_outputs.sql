-- Of each case that is asked for, the first answer that counts as wanted, with what the scorers said that made it so; or
-- the first of all where none does.
WITH wanted AS (
    SELECT unnest(from_json($cases, '[{"case_id": "VARCHAR", "outcome": "VARCHAR"}]'), recursive := true)
),
telling AS (
    SELECT calls.*, outcomes.outcome, outcomes.outcome = wanted.outcome AS is_wanted
    FROM calls
    JOIN wanted ON wanted.case_id = calls.case_id
    JOIN outcomes
        ON outcomes.run_id = calls.run_id AND outcomes.suite = calls.suite AND outcomes.model = calls.model
            AND outcomes.case_id = calls.case_id AND outcomes.trial = calls.trial AND outcomes.phase = calls.phase
    WHERE list_contains($run_ids, calls.run_id) AND calls.suite = $suite AND calls.model = $model
        AND calls.role = 'model' AND list_contains($phases, calls.phase)
    QUALIFY row_number() OVER (
        PARTITION BY calls.case_id ORDER BY is_wanted DESC, calls.run_id, calls.phase DESC, calls.trial
    ) = 1
)
SELECT
    telling.case_id,
    telling.run_id,
    telling.output,
    string_agg(scores.scorer || ': ' || scores.reason, chr(10) ORDER BY scores.scorer) AS reason
FROM telling
LEFT JOIN scores
    ON scores.run_id = telling.run_id AND scores.suite = telling.suite AND scores.model = telling.model
        AND scores.case_id = telling.case_id AND scores.trial = telling.trial AND scores.phase = telling.phase
        AND is_wanted AND scores.reason <> '' AND scores.passed = (telling.outcome = 'passed')
GROUP BY telling.case_id, telling.run_id, telling.output
