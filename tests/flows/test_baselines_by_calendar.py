"""Nights on consecutive days: what a baseline is made of, and what earlier nights tell of tonight."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.calendar import Calendar
from tests.fakes.provider import FakeProvider, Received, said
from tests.flows.lab import GATE, Lab, right, sums, wrong_below

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    return Calendar(monkeypatch)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with FakeProvider() as provider:
        provider.answer("*", right)
        yield Lab(tmp_path, provider)


def night_of(lab: Lab, calendar: Calendar, *arguments: str) -> dict[str, Any]:
    """Run a night on the next day."""
    calendar.turn()
    night: dict[str, Any] = lab.run("nightly", *arguments).data
    return night


def only(night: dict[str, Any]) -> dict[str, Any]:
    """The one comparison of a run."""
    [comparison] = night["comparisons"]
    return dict(comparison)


@pytest.mark.slow
def test_a_young_baseline_grows_by_the_calendar_until_another_version_answers(lab: Lab, calendar: Calendar) -> None:
    first, second = night_of(lab, calendar), night_of(lab, calendar)
    lab.run("nightly")
    third = night_of(lab, calendar)
    assert only(third)["baseline_run_ids"] == [first["run_id"], second["run_id"]]

    lab.provider.requests.clear()
    lab.provider.answer("*", lambda request: said(right(request), served_as="fake-2"))
    moved = night_of(lab, calendar)
    assert (only(moved)["verdict"], only(moved)["fresh_trials"]) == ("unchanged", 3)
    assert len(lab.provider.requests) == 4 * lab.n
    assert any("another version answers than for the baseline" in note for note in moved["notes"])

    lab.provider.requests.clear()
    after = night_of(lab, calendar)
    assert len(lab.provider.requests) == lab.n, "a version is news only once"
    nights = [night["run_id"] for night in (first, second, third)]
    assert only(after)["baseline_run_ids"] == nights
    [listed] = lab.run("baseline", "list").data["baselines"]
    assert (listed["run_id"], listed["nights"], listed["provisional"]) == (first["run_id"], nights, False)


@pytest.mark.slow
def test_the_trials_that_prompted_a_promotion_are_discarded_after_a_night(lab: Lab, calendar: Calendar) -> None:
    night_of(lab, calendar)
    lab.provider.answer("*", wrong_below(8))
    worse = night_of(lab, calendar)
    assert only(worse)["verdict"] == "regressed"
    assert lab.run("baseline", "promote", worse["run_id"]).exit_code == 0
    [listed] = lab.run("baseline", "list").data["baselines"]
    assert (listed["nights"], listed["provisional"]) == ([worse["run_id"]], True)

    lab.provider.requests.clear()
    fresh = night_of(lab, calendar)
    assert (only(fresh)["verdict"], only(fresh)["baseline_run_ids"]) == ("unchanged", [worse["run_id"]])
    assert len(lab.provider.requests) == 2 * lab.n, "it asks baseline_trials"
    later = only(night_of(lab, calendar))
    assert (later["baseline_run_id"], later["baseline_run_ids"]) == (worse["run_id"], [fresh["run_id"]])


@pytest.mark.slow
def test_a_model_beside_is_compared_with_on_all_its_nights_until_it_moves(lab: Lab, calendar: Calendar) -> None:
    """With one trial on each side everything would stay inconclusive."""
    lab.config({"old": "", "new": "compare_to: old"})
    lab.suite("scorers: [exact]\ngate: {baseline_trials: 2}\n", sums(60))
    first, second = night_of(lab, calendar), night_of(lab, calendar)
    new = {row["model"]: row for row in second["comparisons"]}["new"]
    assert (new["verdict"], new["baseline_run_id"]) == ("unchanged", second["run_id"])
    assert new["baseline_run_ids"] == [first["run_id"], second["run_id"]]

    lab.provider.answer("old", lambda request: said(right(request), served_as="old-2"))
    moved = night_of(lab, calendar)
    new = {row["model"]: row for row in moved["comparisons"]}["new"]
    assert (new["verdict"], new["baseline_run_ids"]) == ("inconclusive", [moved["run_id"]])
    assert "one trial of a case does not tell how much it varies" in new["cause"]
    again = night_of(lab, calendar)
    new = {row["model"]: row for row in again["comparisons"]}["new"]
    assert (new["verdict"], new["baseline_run_ids"]) == ("unchanged", [moved["run_id"], again["run_id"]])


@pytest.mark.slow
def test_days_that_differ_where_nothing_changed_are_shown_and_allowed_for(lab: Lab, calendar: Calendar) -> None:
    lab.suite(f"scorers: [exact]\ngate: {GATE}\n", sums(40))
    told = []
    for number in range(6):
        lab.provider.answer("*", right if number % 2 else wrong_below(3))
        told.append(night_of(lab, calendar))
    rows = [only(night) for night in told]
    assert [row["verdict"] for row in rows[1:]] == ["unchanged"] * 5
    assert rows[1]["night_sd_pp"] == 0, "one night tells nothing of how nights differ"
    assert 0.1 < rows[-1]["night_sd_pp"] < 2
    assert any("small by up to" in note for note in told[-1]["notes"])
    plan = lab.run("plan").data["cells"]
    assert plan[0]["detectable_drop_pp"][0] == pytest.approx(rows[-1]["detectable_drop_pp"], abs=1)


@pytest.mark.slow
def test_cases_that_flip_both_ways_wake_nobody_and_are_counted(lab: Lab) -> None:
    lab.suite("scorers: [exact]\ngate: {baseline_trials: 2}\n", sums(500))
    lab.provider.answer("*", wrong_below(40))
    lab.run("nightly")
    lab.provider.answer("*", lambda request: right(request) if case_of(request) not in range(40, 80) else "no idea")
    night = lab.run("nightly")
    row = only(night.data)
    assert (night.exit_code, row["verdict"], row["drop_pp"]) == (0, "unchanged", 0)
    assert (row["lost"], row["gained"]) == (40, 40)
    assert lab.sql("SELECT lost, gained FROM comparisons ORDER BY lost DESC LIMIT 1") == [{"lost": 40, "gained": 40}]


def test_the_flip_rate_is_that_of_repeated_trials_at_one_version(lab: Lab, calendar: Calendar) -> None:
    asked: Counter[str] = Counter()

    def wavering(request: Received) -> str:
        asked[request.prompt] += 1
        return "no idea" if case_of(request) < 5 and asked[request.prompt] == 1 else right(request)

    lab.provider.answer("*", wavering)
    night_of(lab, calendar)
    [cell] = lab.sql("SELECT flip_rate, flip_rate_low, flip_rate_high FROM cells")
    assert cell["flip_rate"] == pytest.approx(5 / 20)
    assert cell["flip_rate_low"] < 0.25 < cell["flip_rate_high"]
    second = night_of(lab, calendar)["run_id"]
    [cell] = lab.sql(f"SELECT flip_rate FROM cells WHERE run_id = '{second}'")
    assert cell["flip_rate"] == pytest.approx(5 / 20 * 2 / 3), "one of three trials failed"
    lab.provider.answer("*", lambda request: said(right(request), served_as="fake-2"))
    third = night_of(lab, calendar)["run_id"]
    assert lab.sql(f"SELECT flip_rate FROM cells WHERE run_id = '{third}'") == [{"flip_rate": None}]


def case_of(request: Received) -> int:
    """Which sum is asked."""
    return int(request.prompt.split(" + ")[0])
