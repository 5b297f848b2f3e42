-- {table} is one of our own names; it cannot be a parameter.
INSERT INTO facts.{table} BY NAME
SELECT * EXCLUDE (source_file), parse_filename(source_file, true) AS part
FROM read_parquet($paths, filename = 'source_file', hive_partitioning = false, union_by_name = true)
