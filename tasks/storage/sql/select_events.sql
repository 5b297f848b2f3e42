-- Every column as the record has it, without what one run has recorded.
SELECT * EXCLUDE (part)
FROM facts.events
WHERE part <> $but_not_of
ORDER BY noticed_at, model, kind
