-- The cells of a run in which calls were not sent for want of money.
SELECT DISTINCT suite, model
FROM calls
WHERE run_id = $run_id AND status = 'budget'
