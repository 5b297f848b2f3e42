"""What earlier runs left, as records again."""

from pathlib import Path

import pytest

from tasks.records import CallStatus, Verdict
from tasks.storage import reads
from tasks.storage.parts import write_part, write_trials
from tasks.storage.warehouse import Warehouse
from tests.storage.sample import LATER_RUN, RUN, a_cell, a_pin, a_run, after, store_a_night, trial


def test_an_empty_folder_has_no_history(tmp_path: Path) -> None:
    assert reads.runs_newest_first(tmp_path) == []
    assert (reads.run_ids(tmp_path), reads.run_count(tmp_path)) == ([], 0)
    assert (reads.pins(tmp_path), reads.latest_pin(tmp_path, "triage", "small")) == ([], None)
    assert reads.models_of_runs(tmp_path) == {}


def test_records_come_back_as_they_were_stored(tmp_path: Path) -> None:
    unjudged = a_cell(model="reference", verdict=None, pass_rate=None)
    write_part(tmp_path, "runs", RUN, [a_run()])
    write_part(tmp_path, "cells", RUN, [a_cell(), unjudged])
    write_part(tmp_path, "pins", RUN, [a_pin()])
    Warehouse(tmp_path).ingest()
    assert reads.runs_newest_first(tmp_path) == [a_run()]
    assert reads.cells_of(tmp_path, RUN) == [unjudged, a_cell()]
    assert reads.cells_of(tmp_path, RUN)[1].verdict is Verdict.UNCHANGED
    assert reads.pins(tmp_path) == [a_pin()]


def test_runs_come_newest_first(tmp_path: Path) -> None:
    write_part(tmp_path, "runs", "runs", [a_run(RUN), a_run(LATER_RUN, started_at=after(1_440), status="running")])
    Warehouse(tmp_path).ingest()
    assert reads.run_ids(tmp_path) == [LATER_RUN, RUN]
    assert reads.run_count(tmp_path) == 2


def test_the_latest_pin_counts(tmp_path: Path) -> None:
    write_part(tmp_path, "pins", "pins", [a_pin(RUN), a_pin(LATER_RUN, pinned_at=after(1)), a_pin(RUN, suite="other")])
    Warehouse(tmp_path).ingest()
    assert reads.latest_pin(tmp_path, "triage", "small") == a_pin(LATER_RUN, pinned_at=after(1))
    assert reads.latest_pin(tmp_path, "triage", "large") is None


def test_the_models_of_a_run_are_known(tmp_path: Path) -> None:
    write_part(tmp_path, "cells", RUN, [a_cell(model="small"), a_cell(model="large"), a_cell(suite="other")])
    Warehouse(tmp_path).ingest()
    assert reads.models_of_runs(tmp_path) == {(RUN, "triage"): ("large", "small"), (RUN, "other"): ("small",)}


def test_flips_come_back(tmp_path: Path) -> None:
    store_a_night(tmp_path)
    Warehouse(tmp_path).ingest()
    [flip] = reads.flips_of(tmp_path, RUN, "triage", "small")
    assert (flip.case_id, flip.direction, flip.baseline_output, flip.output) == ("c1", "lost", "billing", "other")
    assert reads.flips_of(tmp_path, RUN, "triage", "large") == []


def test_outputs_come_page_by_page_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = [trial(f"c{i}", number=n, output=f"{i} {n}") for n in (2, 1) for i in (3, 1, 2)]
    confirming = trial("c1", phase="confirm", output="no")
    judge = trial("c1", number=3, role="judge", output="no")
    write_trials(tmp_path, RUN, [*trials, confirming, judge, trial("c1", model="large", output="no")])
    Warehouse(tmp_path).ingest()
    for rows in (1, 2, 6, 1_000):
        monkeypatch.setattr(reads, "ROWS_PER_PAGE", rows)
        found = list(reads.outputs(tmp_path, RUN, "triage", "small", ["planned"]))
        assert [output.output for output in found] == ["1 1", "1 2", "2 1", "2 2", "3 1", "3 2"]
    some = reads.outputs(tmp_path, RUN, "triage", "small", ["planned", "confirm"], case_ids=["c1", "c9"])
    assert [output.output for output in some] == ["no", "1 1", "1 2"]


def test_an_output_comes_with_how_the_call_ended(tmp_path: Path) -> None:
    write_trials(tmp_path, RUN, [trial(status=CallStatus.REFUSED_BY_PROVIDER, output=None, finish_reason=None)])
    Warehouse(tmp_path).ingest()
    found = list(reads.outputs(tmp_path, RUN, "triage", "small", ["planned"]))
    assert found == [reads.Output("c1", 1, "planned", None, "refused_by_provider", None)]


def test_reasons_for_unmeasured_trials_are_counted(tmp_path: Path) -> None:
    reasons = ["timeout", "budget", "budget", "rate limited", "rate limited"]
    unmeasured = [trial(f"c{i}", "unmeasured", reason=reason) for i, reason in enumerate(reasons)]
    write_trials(tmp_path, RUN, [trial("fine"), *unmeasured])
    Warehouse(tmp_path).ingest()
    found = reads.unmeasured_reasons(tmp_path, RUN, "triage", "small")
    assert found == [("budget", 2), ("rate limited", 2), ("timeout", 1)]
    assert reads.unmeasured_reasons(tmp_path, RUN, "triage", "small", most=1) == [("budget", 2)]
