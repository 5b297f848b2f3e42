SELECT model, requested_model, served_model, params, status, cost_usd
FROM calls
WHERE run_id = $run_id AND role = 'probe' AND suite = ''
ORDER BY started_at
