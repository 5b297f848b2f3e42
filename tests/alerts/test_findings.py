"""What the records of a night say: what is wrong, what is well again, what is gone."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.alerts.findings import findings_of
from tasks.alerts.symptoms import Key
from tasks.config import IncidentKind
from tasks.records import Verdict
from tests.fakes.nights import CELL, FAILED_GATE, REGRESSED, RETIRING, UNMEASURED, a_night, quiet_night

SUITE, MODEL = REGRESSED.suite, REGRESSED.model
MEASURED = replace(CELL, suite=SUITE, model=MODEL)
REGRESSION = Key(IncidentKind.REGRESSION, SUITE, MODEL)


def kinds_in(**changed: Any) -> list[IncidentKind]:
    """The kinds of what is wrong."""
    return [symptom.key.kind for symptom in findings_of(quiet_night(**changed)).wrong]


@pytest.mark.parametrize("verdict", [Verdict.PINNED, Verdict.IMPROVED, Verdict.UNCHANGED, Verdict.INCONCLUSIVE])
def test_a_quiet_night_has_nothing_wrong(verdict: Verdict) -> None:
    calm, open_gate = replace(REGRESSED, verdict=verdict), replace(FAILED_GATE, state="undecided")
    later = replace(RETIRING, notice=None)
    assert kinds_in(comparisons=[calm], gates=[open_gate], cells=[CELL], lifespans=[later]) == []


@pytest.mark.parametrize(
    ("happened", "kind"),
    [
        ({"comparisons": [REGRESSED]}, IncidentKind.REGRESSION),
        ({"comparisons": [UNMEASURED]}, IncidentKind.UNMEASURED),
        ({"comparisons": [UNMEASURED], "out_of_budget": {(UNMEASURED.suite, UNMEASURED.model)}}, IncidentKind.BUDGET),
        ({"comparisons": [replace(UNMEASURED, cause="judge not trusted: strict reaches J 0.2")]}, IncidentKind.JUDGE),
        ({"gates": [FAILED_GATE]}, IncidentKind.LATENCY),
        ({"gates": [replace(FAILED_GATE, gate="max_cost_per_action_usd")]}, IncidentKind.COST),
        ({"gates": [replace(FAILED_GATE, gate="min_pass_rate", value=0.7)]}, IncidentKind.PASS_RATE),
        ({"lifespans": [RETIRING]}, IncidentKind.RETIREMENT),
        ({"cells": [replace(CELL, verdict=Verdict.UNMEASURED, n_measured=0)]}, IncidentKind.UNMEASURED),
    ],
)
def test_each_kind_of_thing_alone_is_found(happened: dict[str, Any], kind: IncidentKind) -> None:
    assert kinds_in(**happened) == [kind]


def test_a_gate_that_repeats_the_verdict_of_its_cell_is_not_told_twice() -> None:
    drop = replace(FAILED_GATE, suite=SUITE, model=MODEL, gate="max_drop_pp")
    coverage = replace(FAILED_GATE, suite=UNMEASURED.suite, model=UNMEASURED.model, gate="min_coverage")
    found = kinds_in(comparisons=[REGRESSED, UNMEASURED], gates=[drop, coverage, replace(drop, suite="elsewhere")])
    assert found == [IncidentKind.REGRESSION, IncidentKind.UNMEASURED, IncidentKind.REGRESSION]


def test_less_is_worse_where_more_is_better() -> None:
    gate = replace(FAILED_GATE, gate="min_pass_rate", limit_value=0.8, value=0.7, ci_low=0.6, ci_high=0.75)
    [symptom] = findings_of(quiet_night(gates=[gate])).wrong
    assert (symptom.level, symptom.at_least) == (-0.7, -0.75)


@pytest.mark.parametrize(
    ("verdict", "is_well"),
    [
        (Verdict.UNCHANGED, True),
        (Verdict.IMPROVED, True),
        (Verdict.PINNED, True),
        (Verdict.INCONCLUSIVE, False),
        (Verdict.UNMEASURED, False),
        (Verdict.REGRESSED, False),
    ],
)
def test_only_a_decided_verdict_ends_a_regression(verdict: Verdict, *, is_well: bool) -> None:
    found = findings_of(quiet_night(comparisons=[replace(REGRESSED, verdict=verdict)], cells=[MEASURED]))
    assert (REGRESSION in found.well) == is_well
    assert found.gone(REGRESSION) is None


def test_a_cell_that_was_measured_is_measured_again() -> None:
    found = findings_of(quiet_night(cells=[MEASURED], comparisons=[replace(REGRESSED, verdict=Verdict.INCONCLUSIVE)]))
    assert found.well[Key(IncidentKind.UNMEASURED, SUITE, MODEL)] == "60 of 60 cases were measured"


def test_a_night_of_a_part_says_nothing_of_the_rest() -> None:
    assert findings_of(quiet_night(cells=[CELL])).gone(REGRESSION) is None
    assert findings_of(quiet_night(cells=[CELL], whole=True)).gone(REGRESSION) == "no longer run"


def test_what_is_measured_but_not_compared_or_gated_any_more_is_gone() -> None:
    found = findings_of(quiet_night(cells=[MEASURED], whole=True))
    assert found.gone(REGRESSION) == "no longer compared"
    assert found.gone(Key(IncidentKind.LATENCY, SUITE, MODEL)) == "its gate is no longer set"
    undecided = replace(FAILED_GATE, suite=SUITE, model=MODEL, state="undecided")
    still = findings_of(quiet_night(cells=[MEASURED], gates=[undecided]))
    assert still.gone(Key(IncidentKind.LATENCY, SUITE, MODEL)) is None


def test_a_model_that_left_the_config_does_not_retire_any_more() -> None:
    key = Key(IncidentKind.RETIREMENT, None, "gpt-4o")
    assert findings_of(quiet_night(lifespans=[])).gone(key) == "no longer in the config"
    assert findings_of(a_night()).gone(key) is None, "a comparison does not look at retirements"
    moved = replace(RETIRING, notice=None, days_left=200)
    assert key in findings_of(quiet_night(lifespans=[moved])).well
