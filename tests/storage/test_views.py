"""The views are what users script against: names, columns and what a row means."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.config import IncidentKind
from tasks.records import IncidentEvent, IncidentStep, Retirement
from tasks.storage.parts import write_part, write_trials
from tasks.storage.warehouse import Warehouse
from tests.storage.sample import LATER_RUN, RUN, START, a_case, a_pin, a_run, after, store_a_night, trial

CONTRACT = {
    "runs": "run_id flow started_at finished_at status calls cost_usd",
    "cells": "run_id suite model dataset_hash prompt_hash scorers_hash params_hash n_cases n_measured trials pass_rate "
    "ci_low ci_high p50_ms p95_ms cost_usd judge_cost_usd cost_per_action_usd verdict",
    "cases": "suite dataset_hash case_id input expected kind tags",
    "calls": "run_id suite model case_id trial phase role requested_model served_model system_fingerprint prompt_hash "
    "params prompt_tokens completion_tokens latency_ms cost_usd attempts status finish_reason error output started_at",
    "scores": "run_id suite model case_id trial phase scorer passed value reason",
    "outcomes": "run_id suite model case_id trial phase outcome reason",
    "comparisons": "run_id suite model baseline_run_id baseline_model n_paired baseline_pass_rate pass_rate drop_pp "
    "ci_low_pp ci_high_pp p_value detectable_drop_pp verdict cause",
    "gates": "run_id suite model gate limit_value value ci_low ci_high state",
    "flips": "run_id suite model baseline_run_id case_id direction baseline_output output",
    "baselines": "suite model run_id pinned_at pinned_by",
    "incident_events": "incident_id recorded_at step kind suite model level headline line cause run_id until",
    "incidents": "incident_id suite model kind opened_at resolved_at state",
    "model_versions": "model served_model system_fingerprint first_seen last_seen",
    "retirements": "model retires_on days_left source replacement",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night of one case."""
    folder = tmp_path_factory.mktemp("night")
    store_a_night(folder, cases=["c1"])
    Warehouse(folder).ingest()
    return folder


@pytest.mark.parametrize("view", CONTRACT)
def test_a_view_has_the_columns_of_the_contract(tmp_path: Path, view: str) -> None:
    found = Warehouse(tmp_path).read_only(f"SELECT * FROM {view}")
    assert set(CONTRACT[view].split()) <= set(found.columns)
    assert found.rows == []


@pytest.mark.parametrize("view", CONTRACT)
def test_what_was_stored_is_in_its_view(results: Path, view: str) -> None:
    [row] = Warehouse(results).query(f"SELECT {', '.join(CONTRACT[view].split())} FROM {view}")
    filled = dict(zip(CONTRACT[view].split(), row, strict=True))
    assert filled["model" if "model" in filled else "suite" if "suite" in filled else "run_id"] in {
        "small",
        "triage",
        RUN,
    }


def test_a_call_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    write_trials(tmp_path, RUN, [trial("c1", number=2, phase="baseline", output="a\x00b", error=None)])
    Warehouse(tmp_path).ingest()
    assert Warehouse(tmp_path).query(f"SELECT {', '.join(CONTRACT['calls'].split())} FROM calls") == [
        (
            *(RUN, "triage", "small", "c1", 2, "baseline", "model"),
            *("openai/gpt-4o-mini", "gpt-4o-mini-2024-07-18", "fp_1", "p" * 64, '{"temperature": 0}'),
            *(20, 3, 200.0, 0.001, 1, "answered", "stop", None, "a\x00b", START),
        )
    ]


def test_what_is_unknown_is_null(tmp_path: Path) -> None:
    write_trials(tmp_path, RUN, [trial("c1", "unmeasured", cost_usd=None, latency_ms=None, prompt_tokens=None)])
    Warehouse(tmp_path).ingest()
    query = "SELECT cost_usd, latency_ms, prompt_tokens, passed FROM calls JOIN scores USING (run_id, case_id)"
    assert Warehouse(tmp_path).query(query) == [(None, None, None, None)]


def test_times_are_utc_wherever_they_were_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoneinfo import ZoneInfo

    monkeypatch.setenv("TZ", "America/New_York")
    tokyo = datetime(2026, 3, 29, 2, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    write_part(tmp_path, "runs", RUN, [a_run(started_at=tokyo)])
    Warehouse(tmp_path).ingest()
    found = Warehouse(tmp_path).read_only(
        "SELECT started_at, typeof(started_at), CAST(started_at AS VARCHAR) FROM runs"
    )
    moment, type_, text = found.rows[0]
    assert (moment, moment.utcoffset()) == (tokyo.astimezone(UTC), timedelta(0))
    assert (type_, text) == ("TIMESTAMP WITH TIME ZONE", "2026-03-28 17:30:00+00")


def test_a_run_is_shown_as_last_recorded(tmp_path: Path) -> None:
    write_part(tmp_path, "runs", f"{RUN}-end", [a_run(status="finished", recorded_at=after(9))])
    write_part(tmp_path, "runs", f"{RUN}-start", [a_run(status="running", finished_at=None, recorded_at=START)])
    write_part(tmp_path, "runs", LATER_RUN, [a_run(LATER_RUN, status="interrupted")])
    Warehouse(tmp_path).ingest()
    found = Warehouse(tmp_path).query("SELECT run_id, status FROM runs ORDER BY run_id")
    assert found == [(RUN, "finished"), (LATER_RUN, "interrupted")]


def test_a_baseline_is_the_latest_pin_of_a_suite_and_model(tmp_path: Path) -> None:
    pins = [a_pin(LATER_RUN, pinned_at=after(9)), a_pin(RUN), a_pin(RUN, model="large")]
    write_part(tmp_path, "pins", "pins", pins)
    Warehouse(tmp_path).ingest()
    found = Warehouse(tmp_path).query("SELECT model, run_id FROM baselines ORDER BY model")
    assert found == [("large", RUN), ("small", LATER_RUN)]


def an_event(step: IncidentStep, minutes: float, suite: str = "triage", **fields: Any) -> IncidentEvent:
    """A step of incident i1."""
    kind = IncidentKind.REGRESSION
    facts: dict[str, Any] = {"incident_id": "i1", "kind": kind, "suite": suite, "model": "small"}
    return IncidentEvent(**facts, step=step, recorded_at=after(minutes), **fields)


def test_an_incident_is_open_until_all_its_rows_are_over(tmp_path: Path) -> None:
    def shown() -> list[tuple[Any, ...]]:
        Warehouse(tmp_path).ingest()
        return Warehouse(tmp_path).query("SELECT suite, model, state, opened_at, resolved_at, n_rows FROM incidents")

    write_part(tmp_path, "incident_events", "1", [an_event("opened", 1), an_event("opened", 2, "extract")])
    assert shown() == [(None, "small", "open", after(1), None, 2)]
    write_part(tmp_path, "incident_events", "2", [an_event("resolved", 3)])
    assert shown() == [(None, "small", "open", after(1), None, 2)]
    write_part(tmp_path, "incident_events", "3", [an_event("closed", 4, "extract")])
    assert shown() == [(None, "small", "resolved", after(1), after(4), 2)]


@pytest.mark.parametrize(("days", "state"), [(-1, "open"), (1, "acknowledged"), (None, "acknowledged")])
def test_an_acknowledgement_counts_until_its_day_is_over(tmp_path: Path, days: int | None, state: str) -> None:
    until = None if days is None else datetime.now(UTC).date() + timedelta(days)
    write_part(tmp_path, "incident_events", "1", [an_event("opened", 1), an_event("acknowledged", 2, until=until)])
    Warehouse(tmp_path).ingest()
    assert Warehouse(tmp_path).query("SELECT state FROM incidents") == [(state,)]


def test_model_versions_are_those_that_answered_for_a_model(tmp_path: Path) -> None:
    trials = [
        trial("c1", served_model="v1", started_at=after(1)),
        trial("c2", served_model="v1", started_at=after(3)),
        trial("c3", served_model="v2", system_fingerprint=None, started_at=after(2)),
        trial("c4", served_model="of-a-judge", role="judge"),
        trial("c5", served_model=None),
    ]
    write_trials(tmp_path, RUN, trials)
    Warehouse(tmp_path).ingest()
    found = Warehouse(tmp_path).query(
        f"SELECT {', '.join(CONTRACT['model_versions'].split())} FROM model_versions ORDER BY 2"
    )
    assert found == [("small", "v1", "fp_1", after(1), after(3)), ("small", "v2", None, after(2), after(2))]


def test_days_left_are_counted_from_today(tmp_path: Path) -> None:
    def retirement(retires_on: date, minutes: float) -> Retirement:
        return Retirement(
            model="small", retires_on=retires_on, source="config", replacement=None, recorded_at=after(minutes)
        )

    today = datetime.now(UTC).date()
    write_part(tmp_path, "retirements", "r", [retirement(today + timedelta(30), 2), retirement(today, 1)])
    Warehouse(tmp_path).ingest()
    [(days_left,)] = Warehouse(tmp_path).query("SELECT days_left FROM retirements")
    assert days_left in {29, 30}  # 29 where midnight passed in between


def test_tags_are_a_list(tmp_path: Path) -> None:
    write_part(tmp_path, "cases", "d1", [a_case("c1"), a_case("c2", tags=())])
    Warehouse(tmp_path).ingest()
    found = Warehouse(tmp_path).query("SELECT case_id FROM cases WHERE list_contains(tags, 'short')")
    assert found == [("c1",)]
