SELECT run_id, flow, started_at, finished_at, status, calls, cost_usd, recorded_at
FROM facts.runs
QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY recorded_at DESC) = 1
ORDER BY started_at DESC, run_id DESC
