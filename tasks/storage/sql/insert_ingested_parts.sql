-- As JSON, since the Python client takes long over lists.
INSERT INTO facts.ingested_parts BY NAME
SELECT unnest(part)
FROM (
    SELECT unnest(from_json(
        $parts,
        '[{"table_name": "VARCHAR", "part": "VARCHAR", "size": "BIGINT", "mtime_ns": "BIGINT", "rows": "BIGINT"}]'
    )) AS part
)
