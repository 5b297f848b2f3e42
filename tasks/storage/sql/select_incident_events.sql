-- Every step of every incident, but for those of one run; an acknowledgement belongs to none.
SELECT * EXCLUDE (part)
FROM facts.incident_events
WHERE $but_not_of IS NULL OR run_id IS DISTINCT FROM $but_not_of
ORDER BY recorded_at
