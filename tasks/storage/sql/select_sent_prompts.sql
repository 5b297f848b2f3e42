-- The system prompts of a piece of a cell's cases, by case.
SELECT case_id, list_sort(list(DISTINCT prompt_hash)) AS hashes
FROM calls
WHERE run_id = $run_id AND suite = $suite AND model = $model AND role = 'model'
    AND hash(case_id) % CAST($pieces AS UBIGINT) = CAST($piece AS UBIGINT)
GROUP BY case_id
