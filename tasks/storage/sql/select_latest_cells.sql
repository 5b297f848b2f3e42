-- The latest cell of each suite and model of which enough was measured, every column as the record has it.
SELECT DISTINCT ON (suite, model) cells.* EXCLUDE (part)
FROM facts.cells AS cells JOIN runs USING (run_id)
WHERE covered
ORDER BY suite, model, started_at DESC, run_id DESC
