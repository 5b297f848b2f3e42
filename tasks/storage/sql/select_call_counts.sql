-- The calls of a run by cell, purpose and how they ended. A sum is NULL where the price of any answer is not known.
SELECT
    suite,
    model,
    role,
    phase,
    status,
    count(*) AS calls,
    CAST(coalesce(sum(attempts), 0) AS BIGINT) AS requests,
    CAST(sum(prompt_tokens) AS BIGINT) AS prompt_tokens,
    CAST(sum(completion_tokens) AS BIGINT) AS completion_tokens,
    CASE
        WHEN count(*) FILTER (status = 'answered' AND cost_usd IS NULL) = 0 THEN coalesce(sum(cost_usd), 0)
    END AS cost_usd
FROM calls
WHERE run_id = $run_id
GROUP BY suite, model, role, phase, status
ORDER BY suite, model, role DESC, phase, calls DESC, status
