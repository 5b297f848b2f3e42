-- Of a cell's own answered calls.
SELECT latency_ms, cost_usd
FROM calls
WHERE run_id = $run_id AND suite = $suite AND model = $model AND role = 'model' AND status = 'answered'
    AND phase IN ('planned', 'baseline')
