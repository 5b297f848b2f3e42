-- Every column, as the record has it.
SELECT * EXCLUDE (part)
FROM facts.runs
QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY recorded_at DESC) = 1
ORDER BY started_at DESC, run_id DESC
