-- How many cases of some cells have so many passed and measured trials in the runs that are named for the cell.
WITH by_case AS (
    SELECT
        outcomes.suite,
        outcomes.model,
        outcomes.case_id,
        count(*) FILTER (outcome = 'passed') AS passed,
        count(*) AS measured
    FROM outcomes
    JOIN named_cells($cells) AS wanted
        ON outcomes.suite = wanted.suite AND outcomes.model = wanted.model
            AND list_contains(wanted.run_ids, outcomes.run_id)
    WHERE outcomes.phase IN ('planned', 'baseline') AND outcomes.outcome <> 'unmeasured'
    GROUP BY outcomes.suite, outcomes.model, outcomes.case_id
)
SELECT suite, model, passed, measured, count(*) AS cases
FROM by_case
GROUP BY suite, model, passed, measured
