"""Thirty nights through the real rules, the outbox and a scripted Slack: every post, edit and reply, in order."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.alerts.delivery import Patience, deliver, keep
from tasks.alerts.findings import Night, findings_of
from tasks.alerts.incidents import changes, incidents_of
from tasks.alerts.losses import losses_of
from tasks.alerts.outbox import Outbox
from tasks.alerts.quiet import is_due, quiet_draft, quiet_line
from tasks.alerts.story import Setting
from tasks.alerts.telling import drafts
from tasks.config import SlackConfig
from tasks.records import Comparison, Event, IncidentEvent, Lifespan, Verdict
from tests.fakes.nights import CELL, REGRESSED, lost
from tests.fakes.slack import FakeSlack, failing

QUICK = Patience(timeout_s=1, rate_limit_s=1, settle_s=0, other_process_s=1)
FIRST = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)  # a Monday
SUITES = ("extract", "qa", "triage")
DOWN = (13, 14)
MISSING = 22


@dataclass
class History:
    """Nights one after the other; what Slack heard stands in `heard`, as night, verb, first words."""

    results: Path
    slack: FakeSlack
    events: list[IncidentEvent] = field(default_factory=list)
    starts: list[datetime] = field(default_factory=list)
    heard: list[tuple[int, str, str]] = field(default_factory=list)
    undelivered: dict[int, int] = field(default_factory=dict)

    def night(self, number: int) -> None:
        """Run one night, and deliver."""
        at = FIRST + timedelta(days=number - 1)
        night = night_of(number, at)
        known = incidents_of(self.events)
        changed = changes(known, findings_of(night), run_id=night.run_id, at=at)
        setting = Setting(
            run_id=night.run_id,
            today=at.date(),
            losses=losses_of(night.comparisons, [lost("c-1", suite="qa", model="mini")], with_excerpts=True),
            owners={},
        )
        written = list(drafts(changed, setting, first_message=Outbox(self.results).first_message))
        self.events += [event for change in changed for event in change.events]
        posts = any(draft.message.action == "post" for draft in written)
        if not posts and is_due("weekly", self.starts, at):
            line = quiet_line(incidents_of(self.events), self.starts, at, how_often="weekly")
            written.append(quiet_draft(line, night.run_id))
        keep(self.results, written)
        self.starts.append(at)
        self.deliver(number)

    def deliver(self, number: int) -> None:
        """Deliver what waits, and write down what Slack heard."""
        before = len(self.slack.requests)
        config = SlackConfig(channel="C0LLMEVALS", api_url=self.slack.url)
        report = deliver(self.results, config, self.slack.token, (), patience=QUICK)
        if report.undelivered:
            self.undelivered[number] = len(report.undelivered)
            return
        for request in self.slack.requests[before:]:
            verb = {"chat.postMessage": "reply" if request.body.get("thread_ts") else "post", "chat.update": "edit"}
            if request.method in verb:
                self.heard.append((number, verb[request.method], request.body["text"].partition("\n")[0].strip()))


def night_of(number: int, at: datetime) -> Night:
    """What thirty nights found: qa worse from 4 to 9, everything on large from 12 to 15, a model that retires."""
    drops: dict[tuple[str, str], float] = {}
    if 4 <= number <= 9:
        drops["qa", "mini"] = 30 if number >= 7 else 12
    if 12 <= number <= 15:
        drops |= {(suite, "large"): 20 for suite in SUITES}
    comparisons = [compared(suite, model, drops.get((suite, model))) for suite in SUITES for model in ("large", "mini")]
    run_id = f"run-{at:%Y%m%d}-020000-a1b2"
    moved = Event(
        run_id=run_id,
        model="large",
        suite=None,
        kind="version_moved",
        before=("v1",),
        now=("v2",),
        text="large moved from v1 to v2",
        noticed_at=at,
    )
    alone = replace(moved, model="mini", text="mini moved from m1 to m2")
    cells = [replace(CELL, suite=one.suite, model=one.model) for one in comparisons]
    events = {12: [moved], 18: [alone]}.get(number, [])
    return Night(run_id=run_id, cells=cells, comparisons=comparisons, lifespans=[ends(at)], events=events, whole=True)


def compared(suite: str, model: str, drop: float | None) -> Comparison:
    """A cell that is unchanged, or lost so much."""
    one = replace(REGRESSED, suite=suite, model=model, baseline_model=model)
    if drop is None:
        return replace(one, verdict=Verdict.UNCHANGED, drop_pp=0, pass_rate=0.91)
    factors = ("served model",) if model == "large" else ()
    return replace(one, drop_pp=drop, ci_low_pp=drop - 6, ci_high_pp=drop + 6, differences=factors)


def ends(at: datetime) -> Lifespan:
    """A model that retires on 26 March: 30 days before the first night were over, 7 come with the 19th."""
    days = (datetime(2027, 3, 26, tzinfo=UTC).date() - at.date()).days
    notice = -1 if days < 0 else next((level for level in (7, 30, 60, 90) if days <= level), None)
    return Lifespan(
        model="old",
        retires_on=at.date() + timedelta(days=days),
        days_left=days,
        source="config",
        notice=notice,
    )


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeSlack() as slack:
        yield History(tmp_path, slack)


def test_thirty_nights_are_told_in_exactly_these_words(history: History) -> None:
    for number in range(1, 31):
        if number == MISSING:
            continue
        down = failing(503) if number in DOWN else None
        for method in ("chat.postMessage", "chat.update", "conversations.replies", "conversations.history"):
            history.slack.script(method, then=down)
        history.night(number)
    worse = "Worse: qa on mini lost 30.0 points"
    large = "3 suites got worse on large"
    assert history.heard == [
        (1, "post", "old retires in 25 days (2027-03-26)"),
        (4, "post", "qa on mini lost 12.0 points"),
        (5, "reply", "Night 2: goes on."),
        (6, "reply", "Night 3: goes on."),
        (7, "edit", worse),
        (7, "reply", f"{worse}."),
        (8, "reply", "Night 5: goes on."),
        (8, "post", "The last seven days: 8 nights, 2 opened, 0 over; 2 incidents open."),
        (9, "reply", "Night 6: goes on."),
        (10, "edit", "Resolved: qa on mini lost 30.0 points"),
        (10, "reply", "Resolved: qa on mini lost 30.0 points. From 4 March 2027 to 10 March 2027: 6 nights."),
        (12, "post", large),
        (15, "reply", "Night 2: goes on."),
        (15, "reply", "Night 3: goes on."),
        (15, "reply", "Night 4: goes on."),
        (15, "post", "The last seven days: 8 nights, 1 opened, 1 over; 2 incidents open."),
        (16, "edit", f"Resolved: {large}"),
        (16, "reply", f"Resolved: {large}. From 12 March 2027 to 16 March 2027: 4 nights."),
        (18, "post", "mini: version moved"),
        (19, "edit", "Worse: old retires in 7 days (2027-03-26)"),
        (19, "reply", "Worse: old retires in 7 days (2027-03-26)."),
        (23, "post", "The last seven days: 7 nights, 1 opened, 2 over; 1 incident open."),
        (27, "edit", "Worse: old retired 1 day ago (2027-03-26)"),
        (27, "reply", "Worse: old retired 1 day ago (2027-03-26)."),
        (29, "post", "The last seven days: 7 nights, 0 opened, 0 over; 1 incident open."),
    ]
    assert history.undelivered == {13: 1, 14: 2}
    ids = [message["metadata"]["event_payload"]["id"] for message in history.slack.messages]
    assert len(ids) == len(set(ids)), "nothing was posted twice"
    assert Outbox(history.results).waiting() == [], "nothing was left"


def test_each_thread_holds_what_belongs_to_it(history: History) -> None:
    for number in range(1, 17):
        history.night(number)
    first = {message["ts"]: message for message in history.slack.messages if "thread_ts" not in message}
    for message in history.slack.messages:
        if thread := message.get("thread_ts"):
            ours, theirs = (one["metadata"]["event_payload"]["incident"] for one in (message, first[thread]))
            assert ours == theirs
    announced = [one["text"].partition(" ")[0] for one in history.slack.messages if one.get("reply_broadcast")]
    assert announced == ["Worse:", "Resolved:", "Resolved:"], "the channel hears of changes, not of every night"
