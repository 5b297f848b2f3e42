SELECT error
FROM calls
WHERE run_id = $run_id AND suite = $suite AND model = $model AND phase IN ('planned', 'baseline') AND error IS NOT NULL
GROUP BY error
ORDER BY count(*) DESC, error
LIMIT 1
