-- {table} is one of our own names; it cannot be a parameter.
DELETE FROM facts.{table}
WHERE part IN (SELECT unnest(from_json($names, '["VARCHAR"]')))
