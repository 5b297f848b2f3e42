SELECT DISTINCT ON (model) model, retires_on, source, replacement, recorded_at
FROM facts.retirements
ORDER BY model, recorded_at DESC
