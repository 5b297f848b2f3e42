"""Records to store, with everything that a test does not care about filled in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tasks.config import IncidentKind
from tasks.records import (
    Call,
    CallStatus,
    Cell,
    Comparison,
    Finding,
    Flip,
    GateResult,
    IncidentEvent,
    Outcome,
    OutcomeState,
    Phase,
    Pin,
    Retirement,
    Run,
    Score,
    StoredCase,
    TrialKey,
    Verdict,
)
from tasks.storage.parts import Trial, write_part, write_trials

RUN = "run-20260101-020000-aaaa"
LATER_RUN = "run-20260102-020000-bbbb"
START = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    """A moment of the sample's night."""
    return START + timedelta(minutes=minutes)


def trial(
    case_id: str = "c1",
    outcome: OutcomeState = "passed",
    *,
    run_id: str = RUN,
    suite: str = "triage",
    model: str = "small",
    number: int = 1,
    phase: Phase = "planned",
    reason: str = "",
    **call: Any,
) -> Trial:
    """A trial of one call, one score and an outcome."""
    key = TrialKey(run_id, suite, model, case_id, number, phase)
    passed = None if outcome == "unmeasured" else outcome == "passed"
    return (
        [a_call(key, **call)],
        [Score(key, "exact", Finding(passed, reason or outcome, 1.0 if passed else 0.0))],
        Outcome(key, outcome, reason),
    )


def a_call(key: TrialKey, **fields: Any) -> Call:
    """A call that was answered."""
    facts: dict[str, Any] = {
        "role": "model",
        "requested_model": "openai/gpt-4o-mini",
        "served_model": "gpt-4o-mini-2024-07-18",
        "system_fingerprint": "fp_1",
        "prompt_hash": "p" * 64,
        "params": '{"temperature": 0}',
        "attempts": 1,
        "status": CallStatus.ANSWERED,
        "started_at": START,
        "prompt_tokens": 20,
        "completion_tokens": 3,
        "latency_ms": 200.0,
        "cost_usd": 0.001,
        "finish_reason": "stop",
        "output": "billing",
    }
    return Call(key=key, **(facts | fields))


def a_case(case_id: str = "c1", **fields: Any) -> StoredCase:
    """A case of dataset d1."""
    facts: dict[str, Any] = {
        "suite": "triage",
        "dataset_hash": "d1",
        "case_id": case_id,
        "input": '"I was charged twice"',
        "expected": '"billing"',
        "kind": "accuracy",
        "tags": ("short", "english"),
        "group": None,
        "case_hash": f"case {case_id}",
        "input_hash": f"input {case_id}",
    }
    return StoredCase(**(facts | fields))


def a_run(run_id: str = RUN, **fields: Any) -> Run:
    """A night that finished."""
    facts: dict[str, Any] = {
        "flow": "nightly",
        "started_at": START,
        "finished_at": after(5),
        "status": "finished",
        "calls": 3,
        "cost_usd": 0.5,
        "recorded_at": after(5),
    }
    return Run(run_id=run_id, **(facts | fields))


def a_cell(run_id: str = RUN, model: str = "small", **fields: Any) -> Cell:
    """A cell of dataset d1."""
    facts: dict[str, Any] = {
        "suite": "triage",
        "dataset_hash": "d1",
        "prompt_hash": "p",
        "scorers_hash": "s",
        "params_hash": "a",
        "n_cases": 3,
        "n_measured": 3,
        "trials": 1,
        "pass_rate": 2 / 3,
        "ci_low": 0.2,
        "ci_high": 0.9,
        "p50_ms": 200.0,
        "p95_ms": 250.0,
        "cost_usd": 0.003,
        "judge_cost_usd": 0.0,
        "cost_per_action_usd": 0.001,
        "verdict": Verdict.UNCHANGED,
        "covered": True,
        "simulated": False,
    }
    return Cell(run_id=run_id, model=model, **(facts | fields))


def a_pin(run_id: str = RUN, **fields: Any) -> Pin:
    """A pin of triage on small."""
    facts: dict[str, Any] = {"suite": "triage", "model": "small", "pinned_at": START, "pinned_by": "nightly"}
    return Pin(run_id=run_id, **(facts | fields))


def store_a_night(results: Path, run_id: str = RUN, cases: Sequence[str] = ("c1", "c2", "c3")) -> None:
    """Write one part of every table."""
    cell: dict[str, Any] = {"run_id": run_id, "suite": "triage", "model": "small"}
    write_part(results, "cases", "triage-d1", [a_case(case_id) for case_id in cases])
    write_trials(results, f"{run_id}-trials", [trial(case_id, run_id=run_id) for case_id in cases])
    write_part(results, "runs", run_id, [a_run(run_id)])
    write_part(results, "cells", run_id, [a_cell(run_id)])
    write_part(results, "comparisons", run_id, [Comparison(**cell, verdict=Verdict.PINNED, cause="first night")])
    gate = GateResult(
        **cell, gate="min_pass_rate", limit_value=0.8, value=0.7, ci_low=0.5, ci_high=0.9, state="undecided"
    )
    write_part(results, "gates", run_id, [gate])
    flip = Flip(**cell, baseline_run_id=RUN, case_id="c1", direction="lost", baseline_output="billing", output="other")
    write_part(results, "flips", run_id, [flip])
    write_part(results, "pins", run_id, [a_pin(run_id)])
    event = IncidentEvent(
        incident_id="i1",
        step="opened",
        suite="triage",
        model="small",
        kind=IncidentKind.REGRESSION,
        recorded_at=START,
    )
    write_part(results, "incident_events", run_id, [event])
    retirement = Retirement(
        model="small", retires_on=START.date(), source="config", replacement="large", recorded_at=START
    )
    write_part(results, "retirements", run_id, [retirement])
