-- Every column, as the record has it.
SELECT * EXCLUDE (part)
FROM facts.comparisons
WHERE run_id = $run_id
ORDER BY suite, model
