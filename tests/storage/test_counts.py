"""Sums and counts of trials, made by SQL."""

from pathlib import Path

import pytest

from tasks.records import CallStatus, OutcomeState
from tasks.storage import counts as counts_module
from tasks.storage.counts import Side, cell_totals, paired_counts, trial_counts
from tasks.storage.parts import Trial, write_part, write_trials
from tasks.storage.warehouse import Warehouse
from tests.storage.sample import LATER_RUN, RUN, a_case, a_cell, trial


def stored(results: Path, *trials: Trial, name: str = "trials") -> Path:
    write_trials(results, name, trials)
    Warehouse(results).ingest()
    return results


def test_a_cell_is_summed_up(tmp_path: Path) -> None:
    stored(
        tmp_path,
        trial("c1", "passed", number=1, latency_ms=100.0),
        trial("c1", "failed", number=2, latency_ms=200.0, finish_reason="length"),
        trial("c2", "failed", number=1, latency_ms=300.0, served_model="gpt-4o-mini-2025-01-01"),
        trial("c2", "unmeasured", number=2, status=CallStatus.TIMEOUT, latency_ms=None, cost_usd=None, output=None),
        trial("c3", "unmeasured", status=CallStatus.RATE_LIMITED, latency_ms=None, cost_usd=None, served_model=None),
    )
    [total] = cell_totals(tmp_path, RUN)
    assert (total.suite, total.model) == ("triage", "small")
    assert (total.n_cases, total.n_measured) == (3, 2)
    assert (total.trials, total.measured_trials, total.passed_trials, total.calls) == (5, 3, 1, 5)
    assert (total.p50_ms, total.p95_ms) == (200.0, 290.0)
    assert total.cost_usd == pytest.approx(0.003)
    assert total.judge_cost_usd == 0
    assert (total.unknown_costs, total.truncated) == (0, 1)
    assert total.served_models == ["gpt-4o-mini-2024-07-18", "gpt-4o-mini-2025-01-01"]


def test_an_answer_without_a_price_makes_the_cost_unknown(tmp_path: Path) -> None:
    stored(tmp_path, trial("c1"), trial("c2", cost_usd=None))
    [total] = cell_totals(tmp_path, RUN)
    assert (total.cost_usd, total.judge_cost_usd, total.unknown_costs) == (None, 0.0, 1)


def test_a_judge_costs_apart_and_is_no_latency(tmp_path: Path) -> None:
    judged = trial("c1", cost_usd=0.5, latency_ms=100.0)
    judge = trial("c1", role="judge", cost_usd=0.25, latency_ms=9_000.0)[0]
    stored(tmp_path, ([*judged[0], *judge], judged[1], judged[2]))
    [total] = cell_totals(tmp_path, RUN)
    assert (total.cost_usd, total.judge_cost_usd, total.p95_ms, total.calls) == (0.5, 0.25, 100.0, 2)


def test_trials_that_confirm_or_probe_do_not_count(tmp_path: Path) -> None:
    stored(tmp_path, trial("c1"), trial("c1", "failed", phase="confirm"), trial("probe", phase="probe"))
    [total] = cell_totals(tmp_path, RUN)
    assert (total.n_cases, total.trials, total.passed_trials, total.calls) == (1, 1, 1, 1)


def test_every_cell_of_the_run_is_summed_up(tmp_path: Path) -> None:
    cells = [("triage", "small"), ("triage", "large"), ("invoices", "small")]
    stored(tmp_path, *(trial(suite=suite, model=model) for suite, model in cells), trial(run_id=LATER_RUN))
    assert [(total.suite, total.model) for total in cell_totals(tmp_path, RUN)] == sorted(cells)


def test_trials_are_counted_by_case(tmp_path: Path) -> None:
    write_part(tmp_path, "cases", "d1", [a_case("c1", kind="refusal", tags=("b", "a"), group="g"), a_case("c2")])
    stored(
        tmp_path,
        trial("c2", "unmeasured"),
        *(trial("c1", "passed" if number > 1 else "failed", number=number) for number in range(1, 6)),
        trial("c1", "passed", phase="confirm"),
    )
    found = trial_counts(tmp_path, "triage", Side([RUN], "small", dataset_hash="d1"))
    assert found.case_ids.tolist() == ["c1", "c2"]
    assert (found.passed.tolist(), found.measured.tolist()) == ([4, 0], [5, 0])
    assert (found.kinds.tolist(), found.groups.tolist()) == (["refusal", "accuracy"], ["g", None])
    assert found.tags.tolist() == [("b", "a"), ("short", "english")]
    confirm = trial_counts(tmp_path, "triage", Side([RUN], "small", ("confirm",), "d1"))
    assert (confirm.case_ids.tolist(), confirm.passed.tolist()) == (["c1"], [1])


def test_no_trials_give_empty_arrays(tmp_path: Path) -> None:
    found = trial_counts(tmp_path, "triage", Side([RUN], "small"))
    assert [len(array) for array in (found.case_ids, found.passed, found.tags)] == [0, 0, 0]
    assert str(found.passed.dtype) == "int64"


def test_the_dataset_of_a_stored_run_is_known(tmp_path: Path) -> None:
    write_part(tmp_path, "cells", RUN, [a_cell(dataset_hash="d1")])
    write_part(tmp_path, "cases", "all", [a_case(kind="old", dataset_hash="d0"), a_case(kind="new")])
    stored(tmp_path, trial("c1"))
    assert trial_counts(tmp_path, "triage", Side([RUN], "small")).kinds.tolist() == ["new"]


def test_pairs_are_the_cases_that_both_sides_have_unchanged(tmp_path: Path) -> None:
    def night(dataset: str, run_id: str, *ids: str, **changed: str) -> None:
        write_part(tmp_path, "cells", run_id, [a_cell(run_id, dataset_hash=dataset)])
        cases = [a_case(id, dataset_hash=dataset, **({changed[id]: "changed"} if id in changed else {})) for id in ids]
        write_part(tmp_path, "cases", dataset, cases)

    night("d0", RUN, "same", "relabelled", "reworded", "gone")
    night("d1", LATER_RUN, "same", "relabelled", "reworded", "new", relabelled="case_hash", reworded="input_hash")
    before = ("same", "relabelled", "reworded", "gone")
    stored(tmp_path, *(trial(id, number=n, phase="baseline") for id in before for n in (1, 2)), name="before")
    now: dict[str, OutcomeState] = {"same": "failed", "relabelled": "unmeasured", "reworded": "passed", "new": "passed"}
    stored(tmp_path, *(trial(id, outcome, run_id=LATER_RUN) for id, outcome in now.items()), name="now")

    pairs = paired_counts(
        tmp_path, "triage", base=Side([RUN], "small"), side=Side([LATER_RUN], "small", dataset_hash="d1")
    )
    assert pairs.case_ids.tolist() == ["relabelled", "same"]
    assert (pairs.base_passed.tolist(), pairs.base_measured.tolist()) == ([2, 2], [2, 2])
    assert (pairs.passed.tolist(), pairs.measured.tolist()) == ([0, 0], [0, 1])
    assert pairs.same_label.tolist() == [False, True]
    assert (pairs.n_base_cases, pairs.n_cases) == (4, 4)


def test_two_models_of_one_run_can_be_paired(tmp_path: Path) -> None:
    write_part(tmp_path, "cases", "d1", [a_case("c1")])
    stored(tmp_path, trial("c1", "failed", model="large"), trial("c1", "passed"))
    sides = {"base": Side([RUN], "large", dataset_hash="d1"), "side": Side([RUN], "small", dataset_hash="d1")}
    pairs = paired_counts(tmp_path, "triage", **sides)
    assert (pairs.base_passed.tolist(), pairs.passed.tolist()) == ([0], [1])


def test_large_cells_are_asked_for_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"c{i:03}" for i in range(100)]
    write_part(tmp_path, "cases", "d1", [a_case(id) for id in ids])
    stored(tmp_path, *(trial(id, "passed" if i % 3 else "failed") for i, id in enumerate(ids)))
    sides = {"base": Side([RUN], "small", dataset_hash="d1"), "side": Side([RUN], "small", dataset_hash="d1")}
    whole = paired_counts(tmp_path, "triage", **sides)
    monkeypatch.setattr(counts_module, "CASES_PER_PIECE", 7)
    pieces = paired_counts(tmp_path, "triage", **sides)
    assert pieces.case_ids.tolist() == whole.case_ids.tolist() == ids
    assert pieces.passed.tolist() == whole.passed.tolist()
    assert pieces.tags.tolist() == whole.tags.tolist()
