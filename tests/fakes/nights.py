"""Nights to alert about: records as a run leaves them, with what a test wants changed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from tasks.alerts.findings import Night, findings_of
from tasks.alerts.incidents import Change, Incident, changes
from tasks.alerts.losses import losses_of
from tasks.alerts.message import Message
from tasks.alerts.story import Link, Setting, Story
from tasks.alerts.telling import drafts
from tasks.records import Cell, Comparison, Flip, GateResult, Lifespan, Verdict

RUN_ID = "run-20270114-020000-a1b2"
AT = datetime(2027, 1, 14, 2, 20, tzinfo=UTC)
REPORT = "https://reports.example.com/run-20270114-020000-a1b2/index.html?a=1&b=2"
BASELINE_ID = "run-20261201-020000-c3d4"

REGRESSED = Comparison(
    run_id=RUN_ID,
    suite="support-qa",
    model="gpt-4o-mini",
    verdict=Verdict.REGRESSED,
    cause="more than 3 pp worse, beyond run-to-run noise",
    baseline_run_id=BASELINE_ID,
    baseline_model="gpt-4o-mini",
    n_paired=118,
    n_cases=121,
    baseline_pass_rate=0.917,
    pass_rate=0.793,
    drop_pp=12.4,
    ci_low_pp=6.1,
    ci_high_pp=18.9,
    p_value=0.0004,
    detectable_drop_pp=5.2,
)

UNMEASURED = Comparison(
    run_id=RUN_ID,
    suite="guardrails",
    model="mistral-large",
    verdict=Verdict.UNMEASURED,
    cause="12 of 60 cases were measured; the gate asks for 95%",
)

FAILED_GATE = GateResult(
    run_id=RUN_ID,
    suite="ticket-triage",
    model="gpt-4o-mini",
    gate="p95_ms",
    limit_value=800,
    value=912.4,
    ci_low=850,
    ci_high=990,
    state="failed",
)

RETIRING = Lifespan(
    model="gpt-4o",
    retires_on=date(2027, 2, 13),
    days_left=30,
    source="litellm; config says 2027-03-01",
    notice=30,
    suites=("support-qa", "guardrails"),
)

CELL = Cell(
    run_id=RUN_ID,
    suite="invoices",
    model="reference",
    dataset_hash="",
    prompt_hash="",
    scorers_hash="",
    params_hash="",
    n_cases=60,
    n_measured=60,
    trials=1,
    pass_rate=0.9,
    ci_low=0.8,
    ci_high=0.95,
    p50_ms=None,
    p95_ms=None,
    cost_usd=None,
    judge_cost_usd=None,
    cost_per_action_usd=None,
    verdict=Verdict.UNCHANGED,
    covered=True,
    simulated=False,
)


def lost(case_id: str, before: str | None = "billing", now: str | None = "account", **more: Any) -> Flip:
    """A case of the cell that got worse."""
    flip = Flip(
        run_id=RUN_ID,
        suite="support-qa",
        model="gpt-4o-mini",
        baseline_run_id=BASELINE_ID,
        case_id=case_id,
        direction="lost",
        baseline_output=before,
        output=now,
    )
    return replace(flip, **more)


def a_night(run_id: str = RUN_ID, **changed: Any) -> Night:
    """A night in which one cell got worse, but for what is changed."""
    return Night(**{"run_id": run_id, "comparisons": [REGRESSED], **changed})


def quiet_night(run_id: str = RUN_ID, **changed: Any) -> Night:
    """A night in which nothing happened, but for what is changed."""
    return a_night(run_id, **{"comparisons": [], **changed})


def changes_in(night: Night, known: Iterable[Incident] = (), *, at: datetime = AT) -> tuple[Change, ...]:
    """What a night does to incidents."""
    return changes(known, findings_of(night), run_id=night.run_id, at=at)


def a_setting(night: Night, flips: Sequence[Flip] = (), **changed: Any) -> Setting:
    """What the messages of a night share."""
    with_excerpts = changed.get("with_excerpts", True)
    facts: dict[str, Any] = {
        "run_id": night.run_id,
        "today": AT.date(),
        "losses": losses_of(night.comparisons, flips, with_excerpts=with_excerpts),
        "owners": {},
        "links": (Link("Report", REPORT),),
    }
    return Setting(**facts | changed)


def stories(night: Night, flips: Sequence[Flip] = (), known: Iterable[Incident] = (), **changed: Any) -> list[Story]:
    """Everything that a night tells."""
    setting = a_setting(night, flips, **changed)
    return [Story(change, setting) for change in changes_in(night, known)]


def first_messages(night: Night, flips: Sequence[Flip] = (), **changed: Any) -> list[Message]:
    """The messages of a night before which nothing had happened."""
    setting = a_setting(night, flips, **changed)
    return [one.message for one in drafts(changes_in(night), setting, first_message=lambda _: None)]


def an_alert(run_id: str = RUN_ID, **changed: Any) -> Message:
    """The message of a night in which one cell got worse."""
    [message] = first_messages(a_night(run_id, **changed), [lost("t-017")])
    return message


TYPICAL_FLIPS = [
    lost("returns-017", "You have 30 days.", "You have 14 days & must call <support>."),
    lost("returns-022", "No, it is not covered.", None),
    lost("warranty-3", "Two years.", ""),
    *[lost(f"warranty-{number}") for number in range(4, 13)],
]


def typical() -> Night:
    """A night with something of each kind."""
    return a_night(comparisons=[REGRESSED, UNMEASURED], gates=[FAILED_GATE], lifespans=[RETIRING])
