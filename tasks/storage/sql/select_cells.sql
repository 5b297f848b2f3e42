-- Every column, as the record has it.
SELECT * EXCLUDE (part)
FROM facts.cells
WHERE run_id = $run_id
ORDER BY suite, model
