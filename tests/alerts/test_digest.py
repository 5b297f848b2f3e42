"""What of a night is told."""

from dataclasses import replace

import pytest

from tasks.records import Verdict
from tests.fakes.nights import CELL, FAILED_GATE, REGRESSED, RETIRING, UNMEASURED, eventful, lost, night


@pytest.mark.parametrize("verdict", [Verdict.PINNED, Verdict.IMPROVED, Verdict.UNCHANGED, Verdict.INCONCLUSIVE])
def test_a_quiet_night_is_not_told(verdict: Verdict) -> None:
    calm = replace(REGRESSED, verdict=verdict)
    open_gate = replace(FAILED_GATE, state="undecided")
    assert night(comparisons=[calm], gates=[open_gate], flips=[lost("x")], cells=[CELL], simulated=["m"]) is None


@pytest.mark.parametrize(
    "happened",
    [
        {"comparisons": [REGRESSED]},
        {"comparisons": [UNMEASURED]},
        {"gates": [FAILED_GATE]},
        {"retirements": [RETIRING]},
        {"cells": [replace(CELL, verdict=Verdict.UNMEASURED, n_measured=0)]},
    ],
)
def test_each_kind_of_thing_alone_is_told(happened: dict[str, object]) -> None:
    assert night(**happened) is not None


def test_the_worst_comes_first() -> None:
    drops = {"a": 4.0, "b": 30.0, "c": 12.0}
    digest = eventful(comparisons=[replace(REGRESSED, suite=suite, drop_pp=drop) for suite, drop in drops.items()])
    assert [regression.comparison.suite for regression in digest.regressions] == ["b", "c", "a"]


def test_three_lost_cases_are_shown_and_all_are_counted() -> None:
    gained = lost("gained", direction="gained")
    elsewhere = lost("elsewhere", suite="other")
    [regression] = eventful(flips=[gained, elsewhere, *(lost(f"c-{number}") for number in range(12))]).regressions
    assert [case.case_id for case in regression.cases] == ["c-0", "c-1", "c-2"]
    assert regression.n_lost == 12


def test_without_excerpts_no_output_gets_into_the_digest() -> None:
    [regression] = eventful(flips=[lost("x", "secret before", "secret now")], excerpts=False).regressions
    assert regression.cases[0].before is None
    assert "secret" not in repr(regression)


def test_a_huge_output_is_kept_as_an_excerpt() -> None:
    [regression] = eventful(flips=[lost("x", "a" * 10_000, "b" * 1_000_000)]).regressions
    assert len(repr(regression)) < 3_000


def test_a_gate_that_repeats_the_verdict_of_its_cell_is_not_told_twice() -> None:
    drop = replace(FAILED_GATE, suite=REGRESSED.suite, model=REGRESSED.model, gate="max_drop_pp")
    coverage = replace(FAILED_GATE, suite=UNMEASURED.suite, model=UNMEASURED.model, gate="min_coverage")
    alone = replace(drop, suite="elsewhere")
    digest = eventful(comparisons=[REGRESSED, UNMEASURED], gates=[drop, coverage, alone])
    assert digest.gates == (alone,)


def test_a_cell_without_comparison_is_told_when_it_could_not_be_measured() -> None:
    cell = replace(CELL, verdict=Verdict.UNMEASURED, n_measured=3)
    [told] = eventful(cells=[cell, CELL]).unmeasured
    assert (told.suite, told.model, told.reason) == ("invoices", "reference", "3 of 60 cases were measured")
