-- Every column, as the record has it.
SELECT * EXCLUDE (part)
FROM facts.events
ORDER BY noticed_at, model, kind
