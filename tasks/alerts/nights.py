"""Nights that did not come to their end, and nights that did not begin: told by whoever comes next."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from tasks.alerts.symptoms import Key, Symptom
from tasks.config import IncidentKind

DAY, WEEK = timedelta(days=1), timedelta(days=7)
TOLERANCE = timedelta(hours=2)
"""How far nights of one schedule may lie from its time."""

LATE = timedelta(hours=4)
"""After which a night that has not begun is missed."""

RHYTHMS = ((DAY, 3), (WEEK, 2))
"""A schedule is known by so many nights, one after the other, with that much time between them."""

NIGHT = Key(IncidentKind.NIGHT, None, None)


def broken_nights(run_ids: Sequence[str], *, past: bool, options: Sequence[str] = ()) -> Iterator[Symptom]:
    """Tell of nights that ended without a result; `options` end the command that goes on with the last."""
    if run_ids:
        *before, last = run_ids
        more = f" and {len(before)} more" if before else ""
        yield Symptom(
            key=NIGHT,
            headline=f"The night {last}{more} did not come to its end",
            line=f"`{shlex.join(['daybreak', 'nightly', '--resume', last, *options])}` goes on with it",
            past=past,
        )


def missed_nights(starts: Sequence[datetime], now: datetime, *, past: bool) -> Iterator[Symptom]:
    """Tell of the time at which the last night should have begun, where none did."""
    missed = [slot for slot in expected(starts, now) if not near(slot, starts)]
    if missed:
        slot = max(missed)
        yield Symptom(
            key=NIGHT,
            headline=f"No night began on {slot.day} {slot:%B %Y}",
            line=f"Nights usually begin at {slot:%H:%M} UTC; is the schedule still served?",
            past=past,
        )


def expected(starts: Sequence[datetime], now: datetime) -> Iterator[datetime]:
    """The times since the last night at which one should have begun, going by the nights before."""
    last = max(starts, default=now)
    for step, times in RHYTHMS:
        slots: Iterable[datetime] = (last - number * step for number in range(times))
        if all(near(slot, starts) for slot in slots):
            slot = last + step
            while slot + LATE <= now:
                if near(slot - WEEK, starts):  # weekends may be free
                    yield slot
                slot += step


def near(slot: datetime, starts: Iterable[datetime]) -> bool:
    """True where a night began at about that time."""
    return any(abs(start - slot) <= TOLERANCE for start in starts)
