-- Every step of every incident, but for those of one run.
SELECT * EXCLUDE (part)
FROM facts.incident_events
WHERE run_id IS DISTINCT FROM $but_not_of
ORDER BY recorded_at
