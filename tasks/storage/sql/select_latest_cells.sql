-- The latest cell of each suite and model of which enough was measured, every column as the record has it. Run ids sort
-- by time.
SELECT DISTINCT ON (suite, model) * EXCLUDE (part)
FROM facts.cells
WHERE covered
ORDER BY suite, model, run_id DESC
