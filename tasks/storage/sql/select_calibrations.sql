-- Every column, as the record has it; the latest last.
SELECT * EXCLUDE (part)
FROM facts.calibrations
WHERE list_contains($suites, suite)
ORDER BY calibrated_at, suite, scorer, slice
