SELECT table_name, part, size, mtime_ns
FROM facts.ingested_parts
