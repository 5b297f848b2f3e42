-- The system prompts of a cell, by case.
SELECT case_id, list_sort(list(DISTINCT prompt_hash)) AS hashes
FROM calls
WHERE run_id = $run_id AND suite = $suite AND model = $model AND role = 'model'
GROUP BY case_id
ORDER BY case_id
