"""What a provider allows, learned from what it accepts and rejects: a rate of starts, and a number in flight.

The rate doubles quickly until a request is rejected (429). Then both are cut to what was accepted, hold for a while,
and probe upward ever faster. The while doubles each time that the limit is met again, so that a limit, once known, is
seldom overrun. Only the rejection of what was started after the last cut says something new.
"""

import math
from typing import NamedTuple

from tasks.calls.ledger import Page

FIRST_PER_SECOND = 100.0
DOUBLED_WITHIN_S = 0.4
FIRST_HOLD_S = 0.5
RECENT_STARTS = 20


class Start(NamedTuple):
    """When something was started, the how manieth it was, beside how many, and the tokens that were counted for it."""

    at: float
    number: int
    beside: int
    tokens: int


class Probed:
    """A bound that is not known before the first cut."""

    def __init__(self, page: Page, what: str, longest_hold_s: float) -> None:
        self._longest_hold_s = longest_hold_s
        self._bound = page.cell(what, math.inf)
        self._cut_at = page.cell(f"{what} cut at")
        self._hold_s = page.cell(f"{what} held for", FIRST_HOLD_S)

    @property
    def is_known(self) -> bool:
        """True once there was a cut."""
        return self._bound.value < math.inf

    def at(self, now: float) -> float:
        """The bound at this moment: as it was cut, and e times as much when three times the hold has passed."""
        hold_s = self._hold_s.value
        growing_s = max(0.0, now - self._cut_at.value - hold_s)
        return self._bound.value * math.exp(min(4.0, growing_s / hold_s / 2) ** 2)

    def is_held(self, now: float) -> bool:
        """True while nothing was probed since the last cut."""
        return now - self._cut_at.value <= self._hold_s.value

    def rest_until(self, at: float) -> None:
        """Count nothing before that time as held: nothing is started then."""
        self._cut_at.value = max(self._cut_at.value, at)

    def cut(self, now: float, bound: float) -> None:
        """Bring it down, for longer where it was met while probing."""
        if self.is_known and not self.is_held(now):
            self._hold_s.value = min(self._longest_hold_s, 2 * self._hold_s.value)
        self._bound.value, self._cut_at.value = bound, now


class Recent:
    """When the last few were started."""

    def __init__(self, page: Page) -> None:
        self._at = [page.cell(f"recent start {number}") for number in range(RECENT_STARTS)]
        self._n = page.cell("recent starts")

    def add(self, at: float) -> None:
        """Count a start."""
        self._at[int(self._n.value) % RECENT_STARTS].value = at
        self._n.value += 1

    def clear(self) -> None:
        """Forget them."""
        self._n.value = 0

    def per_second(self, now: float) -> float:
        """Starts per second; infinite where there were too few."""
        n = int(self._n.value)
        if n < RECENT_STARTS:
            return math.inf
        return RECENT_STARTS / max(0.001, now - self._at[n % RECENT_STARTS].value)


class Learned:
    """The rate per second and the number in flight that a provider accepts; never more than `most` in flight."""

    def __init__(self, most: int, now: float, first_per_second: float, page: Page) -> None:
        self.in_flight = page.count("in flight")
        self._most = most
        self._first_rate = page.cell("first rate", first_per_second)
        self._grown_at = page.cell("grown at", now)
        self._rate, self._window = Probed(page, "rate", 30.0), Probed(page, "window", 30.0)
        self._recent = Recent(page)
        self._started = page.cell("started")
        self._rejected = page.cell("rejected")
        self._cut_at = page.cell("cut at", now)
        self._started_at_cut = page.cell("started at the cut")
        self._typical_s = page.cell("typical seconds")
        self._most_beside = page.cell("most beside")

    def size(self, now: float) -> int:
        """How many may be in flight."""
        return max(1, int(min(self._most, self._window.at(now))))

    def per_second(self, now: float) -> float:
        """How many may start."""
        return self._rate.at(now) if self._rate.is_known else self._first_rate.value

    def grow(self, now: float) -> None:
        """Raise the first rate, as long as it is made use of."""
        step_s = min(DOUBLED_WITHIN_S, now - self._grown_at.value)
        self._grown_at.value = now
        if self._first_rate.value < 2 * self._recent.per_second(now):
            self._first_rate.value *= 2 ** (step_s / DOUBLED_WITHIN_S)

    def start(self, now: float, tokens: int) -> Start:
        """Count a start, as accepted until it proves rejected."""
        self.in_flight.value += 1
        self._started.value += 1
        self._recent.add(now)
        return Start(now, int(self._started.value), int(self.in_flight.total) - 1, tokens)

    def answer(self, now: float, start: Start) -> None:
        """Hear of an answer."""
        typical_s = self._typical_s.value
        self._typical_s.value += (now - start.at - typical_s) * (0.1 if typical_s else 1)
        self._most_beside.value = max(self._most_beside.value, start.beside)

    def reject(self, now: float, start: Start) -> None:
        """Hear of a rejection."""
        if start.at < self._cut_at.value:
            return
        accepted = start.number - self._started_at_cut.value - 1 - self._rejected.value
        self._rejected.value += 1
        if self._rate.is_known and accepted < 1:
            return
        shown = max(1, accepted) / max(0.1, start.at - self._cut_at.value)
        self._rate.cut(now, self._rate_after(now, shown))
        if start.beside > self._most_beside.value > 0:
            self._window.cut(now, max(start.beside, math.ceil(shown * self._typical_s.value)))
        self._cut_at.value, self._started_at_cut.value = now, self._started.value
        self._rejected.value = self._most_beside.value = 0

    def rest_until(self, at: float) -> None:
        """Know that nothing is started before that time."""
        self._rate.rest_until(at)
        self._window.rest_until(at)
        self._recent.clear()

    def _rate_after(self, now: float, shown: float) -> float:
        if not self._rate.is_known:
            return max(shown, self._first_rate.value / 2)
        current = min(self._rate.at(now), 1.05 * self._recent.per_second(now))
        if self._rate.is_held(now):
            return min(max(shown, 0.5 * current), 0.95 * current)
        return 0.95 * current
