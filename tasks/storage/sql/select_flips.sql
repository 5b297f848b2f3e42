-- Every column, as the record has it.
SELECT * EXCLUDE (part)
FROM facts.flips
WHERE run_id = $run_id AND suite = $suite AND model = $model
ORDER BY direction DESC, case_id
