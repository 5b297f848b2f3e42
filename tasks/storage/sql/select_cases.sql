SELECT suite, dataset_hash, case_id, input, expected, kind, tags, "group", case_hash, input_hash
FROM cases
WHERE suite = $suite AND dataset_hash = $dataset_hash
    AND case_id IN (SELECT unnest(from_json($case_ids, '["VARCHAR"]')))
ORDER BY case_id
