INSERT INTO facts.ingested_parts (table_name, part, size, mtime_ns, rows)
SELECT unnest($tables), unnest($names), unnest($sizes), unnest($mtimes), unnest($rows)
