SELECT case_id, passed, measured, kind, tags, "group"
FROM case_counts($run_id, $suite, $model, $phases, $dataset_hash, $piece, $pieces)
