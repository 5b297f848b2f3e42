DELETE FROM facts.ingested_parts
WHERE table_name = $table AND part IN (SELECT unnest(from_json($names, '["VARCHAR"]')))
