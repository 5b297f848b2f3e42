"""When requests with one provider key may start: limits as stated, and as learned from what is accepted and rejected.

Plain rules on a clock in seconds; `tasks.calls.lanes` does the waiting.
"""

import math
from collections.abc import Callable

from tasks.calls.adaptive import FIRST_PER_SECOND, Learned, Start
from tasks.calls.gate import Attempt
from tasks.calls.ledger import Page
from tasks.calls.spacing import Spacing
from tasks.calls.told_limits import REQUEST_LIMITS, TOKEN_LIMITS, per_minute, seconds_until_reset
from tasks.config import Limits
from tasks.records import CallStatus

MARGIN = 0.98
"""The part of a stated limit that is made use of: our minute is not quite the provider's."""

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 30.0
ANSWERED = frozenset({CallStatus.ANSWERED, CallStatus.REFUSED_BY_PROVIDER, CallStatus.BAD_RESPONSE})


class Stated:
    """Limits per minute that the config or the provider states, each at most as high as the other says."""

    def __init__(self, limits: Limits, page: Page) -> None:
        self._requests = Spacing(page.cell("next request"), rate_of(limits.requests_per_minute))
        self._tokens = Spacing(page.cell("next tokens"), rate_of(limits.tokens_per_minute))

    def ready_in_s(self, now: float) -> float:
        """How long until the next may start."""
        return max(self._requests.ready_in_s(now), self._tokens.ready_in_s(now))

    def start(self, now: float, tokens: int) -> None:
        """Count a start."""
        self._requests.take(now)
        self._tokens.take(now, tokens)

    def settle(self, attempt: Attempt, tokens: int) -> None:
        """Correct the tokens that were guessed."""
        if attempt.prompt_tokens is not None:
            self._tokens.settle(attempt.prompt_tokens + (attempt.completion_tokens or 0) - tokens)

    def learn(self, attempt: Attempt) -> None:
        """Take over what the provider says of its limits."""
        if attempt.headers:
            self._requests.per_second = rate_of(per_minute(attempt.headers, REQUEST_LIMITS))
            self._tokens.per_second = rate_of(per_minute(attempt.headers, TOKEN_LIMITS))


def rate_of(per_minute: float | None) -> float:
    """Per second, what is used of a limit per minute."""
    return math.inf if per_minute is None else MARGIN * per_minute / 60


class Pace:
    """The pace of one lane: all requests that share a provider's key.

    At most `most` are in flight. `keeps_up` says whether this process has time for more.
    """

    def __init__(
        self,
        limits: Limits,
        most: int,
        *,
        page: Page,
        now: float,
        first_per_second: float = FIRST_PER_SECOND,
        keeps_up: Callable[[], bool] = lambda: True,
    ) -> None:
        self._stated = Stated(limits, page)
        self._learned = Learned(most, now, first_per_second, page)
        self._spacing = Spacing(page.cell("next", now))
        self._closed_until = page.cell("closed until")
        self._keeps_up = keeps_up
        self._vain_pauses = page.cell("vain pauses")

    def ready_in_s(self, now: float) -> float:
        """How long until the next may start; infinite while as many as allowed are in flight."""
        closed_s = self._closed_until.value - now
        if closed_s > 0:
            return closed_s
        if self._learned.in_flight.total >= self._learned.size(now):
            return math.inf
        self._spacing.per_second = self._learned.per_second(now)
        return max(self._stated.ready_in_s(now), self._spacing.ready_in_s(now))

    def start(self, now: float, tokens: int) -> Start:
        """Count a start."""
        if self._keeps_up():
            self._learned.grow(now)
        self._stated.start(now, tokens)
        self._spacing.take(now)
        return self._learned.start(now, tokens)

    def leave(self, now: float, start: Start, attempt: Attempt | None) -> None:
        """Learn from how it went; None if it was cancelled."""
        self._learned.in_flight.value -= 1
        if attempt is None:
            return
        self._stated.settle(attempt, start.tokens)
        if attempt.status is CallStatus.RATE_LIMITED:
            self._learned.reject(now, start)
            self._pause(now, start, attempt)
        elif attempt.retry_after_s:
            self._close(now + attempt.retry_after_s)
        elif attempt.status in ANSWERED:
            self._learned.answer(now, start)
            if start.at >= self._closed_until.value:
                self._vain_pauses.value = 0

    def _pause(self, now: float, start: Start, attempt: Attempt) -> None:
        """Start nothing for as long as the provider asks for, else for twice as long as the last time in vain."""
        asked_s = attempt.retry_after_s
        if asked_s is None:
            asked_s = seconds_until_reset(attempt.headers)
        if asked_s is not None:
            self._close(now + max(FIRST_PAUSE_S, asked_s))
        elif start.at >= self._closed_until.value:
            self._close(now + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**self._vain_pauses.value))
            self._vain_pauses.value += 1

    def _close(self, until: float) -> None:
        self._closed_until.value = max(self._closed_until.value, until)
        self._spacing.not_before(until)
        self._learned.rest_until(until)
