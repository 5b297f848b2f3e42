-- A pair is a case that a model saw unchanged on both sides; what else is known of it is as on the later side.
SELECT
    later.case_id,
    earlier.passed AS base_passed,
    earlier.measured AS base_measured,
    later.passed,
    later.measured,
    earlier.case_hash = later.case_hash AS same_label,
    later.kind,
    later.tags,
    later."group"
FROM case_counts($base_run_ids, $suite, $base_model, $base_phases, $base_dataset_hash, $piece, $pieces) AS earlier
JOIN case_counts($run_ids, $suite, $model, $phases, $dataset_hash, $piece, $pieces) AS later
    ON later.case_id = earlier.case_id AND later.input_hash = earlier.input_hash
