"""Evaluate a shard: render, ask, score and journal its trials, many at once, as its limits allow."""

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from tasks.calls.journal import Journal, Trial
from tasks.records import Call, CallStatus, Case, Finding, Outcome, OutcomeState, Score, TrialKey

MEASURED = frozenset({CallStatus.ANSWERED, CallStatus.REFUSED_BY_PROVIDER})


class Judgment(NamedTuple):
    """What the scorers say of one answer, and what that makes of the trial."""

    findings: list[tuple[str, Finding]]
    outcome: OutcomeState
    reason: str


class Planned(NamedTuple):
    """One trial to do; `answer` was given before the run was interrupted, and has still to be scored."""

    key: TrialKey
    case: Case
    answer: Call | None = None


class Cellwork(Protocol):
    """What the engine needs to know of a cell; flows put it together from the stages."""

    @property
    def stopped(self) -> str | None:
        """Why this cell's model is not asked any more, if so."""

    @property
    def judged(self) -> bool:
        """True when scoring takes calls of its own."""

    async def ask(self, planned: Planned) -> Call:
        """Ask the model."""

    async def score(self, planned: Planned, call: Call) -> Judgment:
        """Score its answer; calls that this takes are on record when it ends."""


class Room(Protocol):
    """How many trials may be under way at once."""

    async def acquire(self) -> object:
        """Wait for a place."""

    def release(self) -> None:
        """Give it back."""


async def evaluate(
    trials: Iterable[Planned],
    cell: Cellwork,
    *,
    journal: Journal,
    room: Room,
    stop: asyncio.Event,
    tell: Callable[[Trial], None],
) -> None:
    """Do all trials; returns early when `stop` is set, and leaves what was not asked out of the journal then."""

    def record(trial: Trial) -> None:
        journal.append(trial)
        tell(trial)

    async with asyncio.TaskGroup() as group:
        for planned in trials:
            await room.acquire()
            if stop.is_set():
                room.release()
                return
            if cell.stopped:
                room.release()
                record(not_asked(planned.key, cell.stopped))
                continue
            group.create_task(do_trial(planned, cell, record)).add_done_callback(lambda _: room.release())


async def do_trial(planned: Planned, cell: Cellwork, record: Callable[[Trial], None]) -> None:
    """Ask, score and record one trial."""
    if planned.answer:
        await score_trial(planned, planned.answer, cell, record, already=())
        return
    call = await cell.ask(planned)
    if not call.attempts:
        record(not_asked(planned.key, call.error or why_unmeasured(call)))
    elif cell.judged and call.status in MEASURED:
        record(Trial(planned.key, (call,)))
        await score_trial(planned, call, cell, record, already=())
    else:
        await score_trial(planned, call, cell, record, already=(call,))


async def score_trial(
    planned: Planned, call: Call, cell: Cellwork, record: Callable[[Trial], None], *, already: tuple[Call, ...]
) -> None:
    """Record what an answer is worth; `already` holds the calls that no line of the journal has yet."""
    key = planned.key
    if call.status not in MEASURED:
        record(Trial(key, already, (), Outcome(key, "unmeasured", why_unmeasured(call))))
        return
    judgment = await cell.score(planned, call)
    scores = tuple(Score(key, name, finding) for name, finding in judgment.findings)
    outcome = Outcome(key, judgment.outcome, judgment.reason)
    record(Trial(key, already, scores, outcome))


def not_asked(key: TrialKey, why: str) -> Trial:
    """The record of a trial that was never sent."""
    return Trial(key, (), (), Outcome(key, "unmeasured", why))


def why_unmeasured(call: Call) -> str:
    """A short reason, in the same words for the same fault, so that reasons can be counted."""
    return call.status.value.replace("_", " ")
