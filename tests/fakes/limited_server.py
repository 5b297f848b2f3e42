"""Providers in virtual time that reject what is beyond their limits, each in the way of some real one."""

import asyncio
import random
from collections import deque
from typing import Protocol

from tasks.calls.gate import Attempt
from tasks.records import CallStatus


class Limit(Protocol):
    """Says of each request how long it should have waited; 0 accepts it."""

    def wait_s(self, now: float, in_flight: int) -> float:
        """Hear of a request."""


class Bucket:
    """So many per second, and a burst after a rest."""

    def __init__(self, per_second: float, burst: float) -> None:
        self.per_second, self.burst = per_second, burst
        self.left, self.at = burst, 0.0

    def wait_s(self, now: float, in_flight: int) -> float:
        self.left = min(self.burst, self.left + (now - self.at) * self.per_second)
        self.at = now
        if self.left < 1:
            return (1 - self.left) / self.per_second
        self.left -= 1
        return 0


class FixedWindow:
    """So many in each span of time by the provider's clock."""

    def __init__(self, most: int, span_s: float) -> None:
        self.most, self.span_s = most, span_s
        self.span, self.used = -1, 0

    def wait_s(self, now: float, in_flight: int) -> float:
        if int(now / self.span_s) != self.span:
            self.span, self.used = int(now / self.span_s), 0
        self.used += 1
        return 0 if self.used <= self.most else (self.span + 1) * self.span_s - now


class SlidingWindow:
    """So many in any span of time."""

    def __init__(self, most: int, span_s: float) -> None:
        self.span_s = span_s
        self.accepted: deque[float] = deque([-span_s] * most, maxlen=most)

    def wait_s(self, now: float, in_flight: int) -> float:
        wait_s = self.accepted[0] + self.span_s - now
        if wait_s <= 0:
            self.accepted.append(now)
        return max(0.0, wait_s)


class InFlight:
    """So many at once."""

    def __init__(self, most: int) -> None:
        self.most = most

    def wait_s(self, now: float, in_flight: int) -> float:
        return 0 if in_flight < self.most else 1.0


class LimitedServer:
    """Answers after `latency_s`, spread by the lognormal `sigma`, and rejects after the way there and back."""

    def __init__(
        self,
        limit: Limit | None,
        *,
        latency_s: float = 0.2,
        sigma: float = 0.0,
        round_trip_s: float = 0.002,
        says_when: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.limit = limit
        self.latency_s, self.sigma, self.round_trip_s = latency_s, sigma, round_trip_s
        self.says_when, self.headers = says_when, headers or {}
        self.started: list[float] = []
        self.rejected = 0
        self.in_flight = 0
        self.most_at_once = 0
        self._random = random.Random(1)

    async def ask(self) -> Attempt:
        """One request."""
        loop = asyncio.get_running_loop()
        self.started.append(loop.time())
        await asyncio.sleep(self.round_trip_s / 2)
        wait_s = self.limit.wait_s(loop.time(), self.in_flight) if self.limit else 0
        if wait_s:
            self.rejected += 1
            await asyncio.sleep(self.round_trip_s / 2)
            told_s = wait_s if self.says_when else None
            return Attempt(status=CallStatus.RATE_LIMITED, retry_after_s=told_s, headers=self.headers)
        self.in_flight += 1
        self.most_at_once = max(self.most_at_once, self.in_flight)
        await asyncio.sleep(self.latency_s * self._random.lognormvariate(0, self.sigma))
        self.in_flight -= 1
        return Attempt(status=CallStatus.ANSWERED, prompt_tokens=80, completion_tokens=20, headers=self.headers)
