-- What came of the first planned trial of each case in some runs, as one text per cell: case after case, of each the runs
-- in their order, 1 where it passed and 0 where it failed. Cases that a run did not measure are left out.
WITH by_case AS (
    SELECT
        outcomes.suite,
        outcomes.model,
        outcomes.case_id,
        len(any_value(wanted.run_ids)) AS nights,
        string_agg(CASE outcome WHEN 'passed' THEN '1' ELSE '0' END, '' ORDER BY outcomes.run_id) AS passed
    FROM outcomes
    JOIN named_cells($cells) AS wanted
        ON outcomes.suite = wanted.suite AND outcomes.model = wanted.model
            AND list_contains(wanted.run_ids, outcomes.run_id)
    WHERE outcomes.phase IN ('planned', 'baseline') AND outcomes.trial = 1 AND outcomes.outcome <> 'unmeasured'
    GROUP BY outcomes.suite, outcomes.model, outcomes.case_id
)
SELECT suite, model, nights, string_agg(passed, '' ORDER BY case_id) AS passed
FROM by_case
WHERE len(passed) = nights
GROUP BY suite, model, nights
