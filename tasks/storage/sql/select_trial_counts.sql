SELECT case_id, passed, measured, kind, tags, "group"
FROM case_counts($run_ids, $suite, $model, $phases, $dataset_hash, $piece, $pieces)
