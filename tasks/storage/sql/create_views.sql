-- The public face of the warehouse: names and columns stay, more may be added at the end.

CREATE VIEW runs AS
SELECT DISTINCT ON (run_id) run_id, flow, started_at, finished_at, status, calls, cost_usd
FROM facts.runs
ORDER BY run_id, recorded_at DESC;

CREATE VIEW cells AS
SELECT
    run_id, suite, model, dataset_hash, prompt_hash, scorers_hash, params_hash, n_cases, n_measured, trials, pass_rate,
    ci_low, ci_high, p50_ms, p95_ms, cost_usd, judge_cost_usd, cost_per_action_usd, verdict, covered,
    simulated, model_id, served_models, fingerprints, params, endpoint, judges, litellm_version,
    flip_rate, flip_rate_low, flip_rate_high
FROM facts.cells;

CREATE VIEW calibrations AS
SELECT
    suite, scorer, slice, calibrated_at, judges, judge_versions, n_rows, n_tied, n_unscored, right_passed, right_failed,
    wrong_passed, wrong_failed, sensitivity, sensitivity_low, sensitivity_high, specificity, specificity_low,
    specificity_high, youden, youden_low, youden_high, kappa, prevalence, n_annotated_twice, annotator_agreement,
    annotator_alpha, n_retested, retest_changed, homogeneity_p, simulated, n_right, n_wrong, judge_key, run_id
FROM facts.calibrations;

CREATE VIEW corrections AS
SELECT DISTINCT ON (run_id, suite, model)
    run_id, suite, model, raw_pass_rate, pass_rate, ci_low, ci_high, method, trust, why, n_labels, youden, youden_low,
    slope, unanimous, recorded_at
FROM facts.corrections
ORDER BY run_id, suite, model, recorded_at DESC;

CREATE VIEW cases AS
SELECT suite, dataset_hash, case_id, input, expected, kind, tags, "group", case_hash, input_hash
FROM facts.cases;

CREATE VIEW calls AS
SELECT
    run_id, suite, model, case_id, trial, phase, role, requested_model, served_model, system_fingerprint, prompt_hash,
    params, prompt_tokens, completion_tokens, latency_ms, cost_usd, attempts, status, finish_reason, error, output,
    started_at, scorer
FROM facts.calls;

CREATE VIEW scores AS
SELECT run_id, suite, model, case_id, trial, phase, scorer, passed, value, reason
FROM facts.scores;

CREATE VIEW outcomes AS
SELECT run_id, suite, model, case_id, trial, phase, outcome, reason
FROM facts.outcomes;

CREATE VIEW comparisons AS
SELECT
    run_id, suite, model, baseline_run_id, baseline_model, n_paired, baseline_pass_rate, pass_rate, drop_pp, ci_low_pp,
    ci_high_pp, p_value, detectable_drop_pp, verdict, cause, n_cases, raw_drop_pp, scoring_drop_pp,
    differences, commands, baseline_run_ids, lost, gained, fresh_trials, night_sd_pp,
    trials, rate_ci_low, rate_ci_high
FROM facts.comparisons;

CREATE VIEW gates AS
SELECT run_id, suite, model, gate, limit_value, value, ci_low, ci_high, state
FROM facts.gates;

CREATE VIEW flips AS
SELECT run_id, suite, model, baseline_run_id, case_id, direction, baseline_output, output, baseline_reason, reason
FROM facts.flips;

CREATE VIEW baselines AS
SELECT DISTINCT ON (suite, model) suite, model, run_id, pinned_at, pinned_by
FROM facts.pins
ORDER BY suite, model, pinned_at DESC, run_id DESC;

CREATE VIEW incident_events AS
SELECT incident_id, recorded_at, step, kind, suite, model, level, headline, line, cause, run_id, until
FROM facts.incident_events;

-- An incident is over when every row of it is; an acknowledgement counts up to and with its day.
CREATE VIEW incidents AS
WITH incident_rows AS (
    SELECT
        incident_id, kind, suite, model, min(recorded_at) AS opened_at, max(recorded_at) AS last_at,
        arg_max(step, recorded_at) AS step, arg_min(headline, recorded_at) AS headline
    FROM facts.incident_events
    WHERE step <> 'acknowledged'
    GROUP BY incident_id, kind, suite, model
),
summed_up AS (
    SELECT
        incident_id,
        CASE WHEN count(DISTINCT coalesce(suite, '')) = 1 THEN any_value(suite) END AS suite,
        CASE WHEN count(DISTINCT coalesce(model, '')) = 1 THEN any_value(model) END AS model,
        any_value(kind) AS kind, min(opened_at) AS opened_at, max(last_at) AS last_at, count(*) AS n_rows,
        count(*) FILTER (step NOT IN ('resolved', 'closed')) AS n_open,
        count(*) FILTER (step = 'resolved') AS n_resolved,
        arg_min(headline, opened_at) AS headline
    FROM incident_rows
    GROUP BY incident_id
),
acknowledged AS (
    SELECT incident_id, arg_max(coalesce(until, DATE '9999-12-31'), recorded_at) AS until
    FROM facts.incident_events
    WHERE step = 'acknowledged'
    GROUP BY incident_id
)
SELECT
    incident_id, suite, model, kind, opened_at, CASE WHEN n_open = 0 THEN last_at END AS resolved_at,
    CASE
        WHEN n_open = 0 AND n_resolved > 0 THEN 'resolved'
        WHEN n_open = 0 THEN 'closed'
        WHEN until >= CAST(now() AT TIME ZONE 'UTC' AS DATE) THEN 'acknowledged'
        ELSE 'open'
    END AS state,
    n_rows, headline
FROM summed_up LEFT JOIN acknowledged USING (incident_id);

CREATE VIEW model_versions AS
SELECT model, served_model, system_fingerprint, min(started_at) AS first_seen, max(started_at) AS last_seen
FROM facts.calls
WHERE role <> 'judge' AND served_model IS NOT NULL
GROUP BY model, served_model, system_fingerprint;

CREATE VIEW events AS
SELECT run_id, model, suite, kind, before, now, text, noticed_at
FROM facts.events;

CREATE VIEW retirements AS
SELECT DISTINCT ON (model)
    model, retires_on, datediff('day', CAST(now() AT TIME ZONE 'UTC' AS DATE), retires_on) AS days_left, source,
    replacement
FROM facts.retirements
ORDER BY model, recorded_at DESC;

-- What came of each case of a cell in some runs, with what is known of the case. Without a dataset's hash, it is that of
-- the runs' stored cells, which is the same for all. Large cells are asked for piece by piece, so that a question takes little memory.
CREATE MACRO case_counts(the_runs, the_suite, the_model, the_phases, the_dataset, piece, pieces) AS TABLE
WITH counted AS (
    SELECT
        case_id,
        count(*) FILTER (outcome = 'passed') AS passed,
        count(*) FILTER (outcome <> 'unmeasured') AS measured
    FROM outcomes
    WHERE list_contains(the_runs, run_id) AND suite = the_suite AND model = the_model
        AND list_contains(the_phases, phase)
        AND hash(case_id) % CAST(pieces AS UBIGINT) = CAST(piece AS UBIGINT)
    GROUP BY case_id
),
known AS (
    SELECT case_id, case_hash, input_hash, kind, tags, "group"
    FROM cases
    WHERE suite = the_suite AND hash(case_id) % CAST(pieces AS UBIGINT) = CAST(piece AS UBIGINT) AND dataset_hash = coalesce(
        the_dataset,
        (SELECT max(dataset_hash) FROM cells WHERE list_contains(the_runs, run_id) AND suite = the_suite)
    )
)
SELECT case_id, passed, measured, case_hash, input_hash, kind, tags, "group"
FROM counted LEFT JOIN known USING (case_id);

-- Cells with the runs that count for each, given as JSON: the Python client takes long over lists.
CREATE MACRO named_cells(the_cells) AS TABLE
SELECT cell.suite, cell.model, cell.run_ids
FROM (
    SELECT unnest(from_json(the_cells, '[{"suite": "VARCHAR", "model": "VARCHAR", "run_ids": ["VARCHAR"]}]')) AS cell
);
