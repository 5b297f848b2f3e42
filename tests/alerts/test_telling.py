"""Which messages are sent of a change, where they go, and when nothing is said."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tasks.alerts.incidents import Incident
from tasks.alerts.nights import broken_nights, missed_nights
from tasks.alerts.quiet import is_due, quiet_line
from tasks.alerts.telling import drafts, severity
from tasks.config import Acknowledged, IncidentKind
from tasks.records import Verdict
from tests.fakes.nights import (
    AT,
    FAILED_GATE,
    REGRESSED,
    RETIRING,
    UNMEASURED,
    a_night,
    a_setting,
    changes_in,
    quiet_night,
)

NEXT = "run-20270115-020000-e5f6"
CALM = replace(REGRESSED, verdict=Verdict.UNCHANGED)


def sent(
    night: Any, known: Iterable[Incident] = (), *, first: str | None = None, acks: Any = (), printed: bool = False
) -> list[str]:
    """What is sent of a night, where an incident has this first message."""
    changed, setting = changes_in(night, known), a_setting(night)
    written = drafts(changed, setting, acknowledged=acks, first_message=lambda _: first, printed=printed)
    return [draft.message.action for draft in written]


def test_an_incident_that_slack_never_heard_of_begins_with_a_first_message_in_any_night() -> None:
    [opened] = changes_in(a_night())
    assert sent(a_night(NEXT), [opened.incident]) == ["post"]
    assert sent(a_night(NEXT), [opened.incident], first="run-1.000") == ["reply"]
    calm = quiet_night(NEXT, comparisons=[CALM])
    assert sent(calm, [opened.incident]) == [], "it is over unheard"
    assert sent(calm, [opened.incident], printed=True) == ["reply"], "a terminal, which is told of it, hears of its end"


def test_a_terminal_hears_once_of_what_no_night_measures_anew() -> None:
    """Each watch printed a retirement again."""
    [opened] = changes_in(quiet_night(lifespans=[RETIRING]))
    again, nearer = ([replace(RETIRING, notice=notice)] for notice in (RETIRING.notice, 7))
    assert sent(quiet_night(NEXT, lifespans=again), [opened.incident], printed=True) == []
    assert sent(quiet_night(NEXT, lifespans=nearer), [opened.incident], printed=True) == ["post"]
    [worse] = changes_in(a_night())
    assert sent(a_night(NEXT), [worse.incident], printed=True) == ["post"], "a night measures that anew"


def test_a_run_that_is_repeated_writes_its_first_message_again_under_the_same_id() -> None:
    night = a_night()
    [opened] = changes_in(night)
    once, again = (
        list(drafts(changes_in(night), a_setting(night), first_message=known.get))
        for known in ({}, {opened.incident.id: f"{night.run_id}.000"})
    )
    assert once == again


@pytest.mark.parametrize(
    ("known", "acks"),
    [
        ({}, ["post"]),
        ({"suite": "support-qa"}, []),
        ({"suite": "support-qa", "until": date(2027, 1, 14)}, []),
        ({"suite": "support-qa", "until": date(2027, 1, 13)}, ["post"]),
        ({"suite": "support-qa", "kind": IncidentKind.LATENCY}, ["post"]),
        ({"model": "gpt-4o-mini", "kind": IncidentKind.REGRESSION}, []),
        ({"model": "other"}, ["post"]),
    ],
)
def test_what_the_config_acknowledges_is_not_told(known: dict[str, Any], acks: list[str]) -> None:
    assert sent(a_night(), acks=[Acknowledged(**known)] if known else []) == acks


def test_severities() -> None:
    def of(**happened: Any) -> str:
        [change] = changes_in(quiet_night(**happened))
        return severity(change.incident)

    assert of(comparisons=[REGRESSED]) == "alarm"
    assert of(comparisons=[UNMEASURED]) == of(gates=[FAILED_GATE]) == "warning"
    notices = {90: "notice", 60: "notice", 30: "warning", 7: "warning", -1: "alarm"}
    assert {days: of(lifespans=[replace(RETIRING, notice=days)]) for days in notices} == notices


MONDAY = datetime(2027, 3, 1, 2, tzinfo=UTC)


def nights(*days: float) -> list[datetime]:
    """Nights at 2 o'clock, some days after a Monday."""
    return [MONDAY + timedelta(days=day) for day in days]


@pytest.mark.parametrize(
    ("how_often", "before", "day", "due"),
    [
        ("weekly", (), 0, False),
        ("weekly", (0,), 1, False),
        ("weekly", (0, 1, 5), 7, True),
        ("weekly", (0, 1, 5), 8, True),
        ("weekly", (0, 1, 5, 7), 8, False),
        ("nightly", (), 0, True),
        ("never", (0,), 7, False),
    ],
)
def test_a_quiet_line_comes_once_a_week(how_often: str, before: tuple[int, ...], day: int, *, due: bool) -> None:
    assert is_due(how_often, nights(*before), MONDAY + timedelta(days=day)) == due


def test_a_quiet_line_says_what_the_week_was_like() -> None:
    [opened] = changes_in(a_night())
    assert quiet_line([opened.incident], [AT - timedelta(days=1)], AT, how_often="weekly") == (
        "The last seven days: 2 nights, 1 opened, 0 over; 1 incident open."
    )
    assert quiet_line([], [], AT, how_often="nightly") == "A quiet night: nothing is open."


DAILY = tuple(range(14))


@pytest.mark.parametrize(
    ("before", "now", "missed"),
    [
        (DAILY, 14.3, "15 March 2027"),
        (DAILY, 14.1, None),
        (DAILY, 15, "15 March 2027"),
        ((0, 1, 2, 3, 4, 7, 8, 9, 10, 11), 14, None),
        ((0, 1, 2, 3, 4, 7, 8, 9, 10, 11), 14.5, "15 March 2027"),
        ((0, 7), 14.5, "15 March 2027"),
        ((0,), 20, None),
        ((0, 0.4, 1.6), 20, None),
        ((), 20, None),
    ],
)
def test_a_night_is_missed_where_the_nights_before_had_a_rhythm(
    before: tuple[float, ...], now: float, missed: str | None
) -> None:
    found = [one.headline for one in missed_nights(nights(*before), MONDAY + timedelta(days=now), past=False)]
    assert found == ([f"No night began on {missed}"] if missed else [])


def test_nights_that_did_not_end_are_named() -> None:
    [symptom] = broken_nights(["run-1", "run-2"], past=True)
    assert symptom.headline == "The night run-2 and 1 more did not come to its end"
    assert list(broken_nights([], past=True)) == []
