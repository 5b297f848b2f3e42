"""The life of incidents, night by night."""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from tasks.alerts.incidents import Change, Incident, changes, incidents_of
from tasks.alerts.symptoms import Findings, Key, Symptom
from tasks.config import IncidentKind
from tests.fakes.nights import AT

KIND = IncidentKind.REGRESSION


def drop(suite: str = "qa", level: float = 12, model: str = "mini", **more: Any) -> Symptom:
    """A suite that got worse."""
    kind = more.pop("kind", KIND)
    facts: dict[str, Any] = {"headline": suite, "line": f"{level} points", "level": level, "at_least": level - 5}
    return Symptom(key=Key(kind, suite, model), **facts | more)


class Nights:
    """Nights one after the other, with the incidents that they leave."""

    def __init__(self) -> None:
        self.known: tuple[Incident, ...] = ()
        self.number = 0

    def night(self, *wrong: Symptom, well: Iterable[str] = (), gone: Sequence[str] = ()) -> tuple[Change, ...]:
        """What a night does in which these suites are wrong, well or gone."""
        self.number += 1
        findings = Findings(
            wrong=wrong,
            well={Key(KIND, suite, "mini"): "unchanged" for suite in well},
            gone=lambda key: "no longer run" if key.suite in gone else None,
        )
        run_id, at = f"run-{self.number}", AT + timedelta(days=self.number)
        found = changes(self.known, findings, run_id=run_id, at=at)
        events = [event for incident in self.known for event in incident.events]
        new = [event for change in found for event in change.events]
        self.known = incidents_of(random.Random(1).sample([*events, *new], len(events) + len(new)))
        return found

    def steps(self, *wrong: Symptom, **more: Any) -> list[str]:
        """Only what becomes of the incidents."""
        return [change.step for change in self.night(*wrong, **more)]


def test_a_regression_opens_goes_on_gets_worse_and_is_resolved() -> None:
    nights = Nights()
    assert nights.steps(drop(level=12)) == ["opened"]
    assert nights.steps(drop(level=14)) == ["ongoing"], "14 is not more than 12 for sure"
    assert nights.steps(drop(level=25)) == ["worse"]
    assert nights.steps(drop(level=26)) == ["ongoing"]
    assert nights.steps(well=["qa"]) == ["resolved"]
    assert nights.steps(well=["qa"]) == []
    [incident] = nights.known
    assert (incident.is_open, incident.ending, incident.nights) == (False, "resolved", 4)


def test_what_comes_back_is_a_new_incident() -> None:
    nights = Nights()
    nights.night(drop())
    nights.night(well=["qa"])
    assert nights.steps(drop()) == ["opened"]
    assert len({incident.id for incident in nights.known}) == 2


def test_a_night_that_did_not_look_or_could_not_tell_leaves_an_incident_alone() -> None:
    nights = Nights()
    nights.night(drop())
    before = nights.known
    assert nights.steps() == []
    assert nights.known == before


def test_what_is_gone_closes_its_incident() -> None:
    nights = Nights()
    nights.night(drop())
    [change] = nights.night(gone=["qa"])
    assert (change.step, change.incident.rows[0].last.line) == ("closed", "no longer run")


def test_suites_of_one_model_that_begin_together_are_one_incident() -> None:
    nights = Nights()
    [change] = nights.night(*(drop(f"suite-{number}") for number in range(7)))
    assert (change.step, len(change.incident.rows)) == ("opened", 7)
    assert nights.steps(well=["suite-0"]) == ["ongoing"], "six are left"
    assert nights.steps(well=[f"suite-{number}" for number in range(7)]) == ["resolved"]


def test_models_are_incidents_of_their_own_unless_they_are_too_many() -> None:
    assert len(Nights().night(drop(model="a"), drop(model="b"))) == 2
    [storm] = Nights().night(*(drop(model=f"model-{number}") for number in range(200)))
    assert len(storm.incident.rows) == 200


def test_what_is_known_to_share_a_cause_joins_the_open_incident() -> None:
    nights = Nights()
    moved = "mini was served as a, now as b"
    nights.night(drop("qa", cause=moved))
    [change] = nights.night(drop("qa", cause=moved), drop("triage", cause=moved))
    assert (change.step, len(change.incident.rows)) == ("worse", 2)
    assert nights.steps(drop("qa", cause=moved), drop("triage", cause=moved), drop("other")) == ["ongoing", "opened"]


def test_a_moved_version_is_told_as_the_cause_of_what_it_made_worse_and_else_by_itself() -> None:
    moved = Symptom(
        key=Key(IncidentKind.VERSION, None, "mini"), headline="mini moved", line="a → b", cause="a → b", past=True
    )
    [alone] = Nights().night(moved)
    assert (alone.step, alone.incident.is_open) == ("opened", False)
    taken_along = [drop(f"suite-{number}", cause="a → b") for number in range(7)]
    [change] = Nights().night(moved, *taken_along)
    assert (change.incident.kind, len(change.incident.rows)) == (KIND, 7)


def test_a_run_that_is_repeated_says_the_same() -> None:
    first, again = Nights(), Nights()
    wrong = [drop("qa"), drop("triage", model="large")]
    assert first.night(*wrong) == again.night(*wrong)


def test_an_acknowledgement_counts_up_to_its_day() -> None:
    from tasks.alerts.acknowledging import acknowledged

    nights = Nights()
    nights.night(drop())
    [incident] = nights.known
    today = AT.date()
    event = acknowledged(incident, until=today + timedelta(days=3), at=AT + timedelta(days=1, hours=9))
    [after] = incidents_of([*incident.events, event])
    assert [after.is_acknowledged(today + timedelta(days=days)) for days in (1, 3, 4)] == [True, True, False]
    assert after.is_open
    assert after.rows == incident.rows


@pytest.mark.parametrize("kind", [IncidentKind.RETIREMENT, IncidentKind.VERSION])
def test_kinds_that_are_no_measurement_of_a_suite_stay_apart(kind: IncidentKind) -> None:
    assert len(Nights().night(drop(model="a", kind=kind), drop(model="b", kind=kind))) == 2
