-- When each model last answered, and since when it is not found.
WITH answered AS (
    SELECT model, requested_model, max(started_at) AS last_answered
    FROM calls
    WHERE role <> 'judge' AND status IN ('answered', 'refused_by_provider')
    GROUP BY model, requested_model
),
missing AS (
    SELECT calls.model, calls.requested_model, min(started_at) AS missing_since
    FROM calls LEFT JOIN answered USING (model, requested_model)
    WHERE role <> 'judge' AND status = 'model_not_found' AND (last_answered IS NULL OR started_at > last_answered)
    GROUP BY calls.model, calls.requested_model
)
SELECT model, requested_model, last_answered, missing_since
FROM answered FULL JOIN missing USING (model, requested_model)
