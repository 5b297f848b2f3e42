SELECT model, requested_model, served_model, params
FROM calls
WHERE run_id = $run_id AND role = 'probe' AND suite = ''
ORDER BY started_at
