-- The measured trials of a cell by the judge scorer that spoke of them; scorer is NULL for those that none spoke of.
WITH measured AS (
    SELECT case_id, trial, phase, outcome
    FROM outcomes
    WHERE run_id = $run_id AND suite = $suite AND model = $model AND phase IN ('planned', 'baseline')
        AND outcome <> 'unmeasured'
),
spoken AS (
    SELECT case_id, trial, phase, scorer, value
    FROM scores
    WHERE run_id = $run_id AND suite = $suite AND model = $model AND phase IN ('planned', 'baseline')
        AND list_contains($scorers, scorer) AND passed IS NOT NULL
)
SELECT
    scorer,
    count(DISTINCT case_id) AS n_cases,
    count(*) AS trials,
    count(*) FILTER (outcome = 'passed') AS passed,
    avg(CASE WHEN value IN (0, 1) THEN 1.0 ELSE 0.0 END) AS unanimous,
    (SELECT count(*) FROM measured) AS measured_trials
FROM measured LEFT JOIN spoken USING (case_id, trial, phase)
GROUP BY scorer
ORDER BY scorer
