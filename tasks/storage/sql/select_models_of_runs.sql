SELECT run_id, suite, list_sort(list(DISTINCT model)) AS models
FROM cells
GROUP BY run_id, suite
