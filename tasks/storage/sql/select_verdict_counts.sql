-- How many cells of each run have which verdict.
SELECT run_id, verdict, count(*) AS cells
FROM comparisons
GROUP BY run_id, verdict
ORDER BY run_id, verdict
