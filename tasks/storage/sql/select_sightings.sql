-- What answered for each model, and for each judge's probe, in each run.
SELECT
    model, run_id, requested_model, served_model, system_fingerprint, count(*) AS calls,
    min(started_at) AS first_seen, max(started_at) AS last_seen
FROM calls
WHERE role <> 'judge' AND status IN ('answered', 'refused_by_provider')
GROUP BY model, run_id, requested_model, served_model, system_fingerprint
