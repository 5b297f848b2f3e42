"""The gates of all models: whose requests wait for each other, and which are not asked any more."""

import asyncio
import math
from collections.abc import Callable

from tasks.calls.adaptive import FIRST_PER_SECOND, Start
from tasks.calls.budget import Purse
from tasks.calls.gate import Attempt, Need, NotAdmitted
from tasks.calls.ledger import Ledger, Page
from tasks.calls.line import Line
from tasks.calls.pace import Pace, Stated
from tasks.calls.retries import MAX_WAIT_S
from tasks.config import Limits, ModelConfig
from tasks.records import CallStatus

FIRST_IN_FLIGHT = 8
"""Until a model has answered: so many calls of a wrong key or name may be in vain."""

PREPARING = 1.25
"""Requests let through for each connection: the rest are being prepared, or their answers being read."""

LOOK_EVERY_S = 0.02
"""How often who waits looks whether another process has made room."""


class Lane:
    """One pace, and the line of those who wait for it."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.line = Line()


class ModelGate:
    """The gate of one model: who comes has its cost reserved, waits in the model's line, and then in its lane's."""

    def __init__(
        self, lane: Lane, told: Stated, page: Page, *, first: int, purse: Purse | None, places: asyncio.Semaphore
    ) -> None:
        self._lane = lane
        self._told = told
        self._line = Line()
        self._first = first
        self._purse = purse
        self._places = places
        self._ledger = page.ledger
        self._unheard = page.count("unheard")
        self._was_heard = page.cell("was heard")
        self._stopped = page.note("stopped")
        self._now = asyncio.get_running_loop().time

    @property
    def stopped(self) -> str | None:
        """Why the model is not asked any more, if so."""
        return self._stopped.text

    async def enter(self, need: Need) -> "Passage":
        """Wait for the turn; raises NotAdmitted once the model is stopped or the budget used up."""
        reserved_usd = await self._purse.reserve(need) if self._purse else 0.0
        try:
            start = await self._turn(need.tokens)
        except BaseException:
            if self._purse:
                self._purse.give_back(reserved_usd)
            raise
        if self._purse:
            self._purse.send(reserved_usd)
        return Passage(self, start, reserved_usd)

    async def _turn(self, tokens: int) -> Start:
        """Wait until the model's own limits allow one more, then those of its key, then those of this process."""
        async with self._line as line:
            await line.until(self._told_ready_in_s)
            async with self._lane.line as lane_line:
                while True:
                    await lane_line.until(self._look_in_s)
                    await self._places.acquire()
                    start = self._start(tokens)
                    if start is not None:
                        return start
                    self._places.release()

    def _told_ready_in_s(self) -> float:
        if self.stopped:
            raise NotAdmitted(CallStatus.MODEL_STOPPED, self.stopped)
        return self._told.ready_in_s(self._now())

    def _look_in_s(self) -> float:
        """How long until it may be ready; other processes say nothing when they leave."""
        ready_in_s = self._ready_in_s()
        return LOOK_EVERY_S if ready_in_s == math.inf and self._ledger.is_shared else ready_in_s

    def _ready_in_s(self) -> float:
        if not self._was_heard.value and self._unheard.total >= self._first:
            return math.inf
        return max(self._told_ready_in_s(), self._lane.pace.ready_in_s(self._now()))

    def _start(self, tokens: int) -> Start | None:
        """Count a start, unless another process came first."""
        with self._ledger.lock():
            if self._ready_in_s() > 0:
                return None
            now = self._now()
            self._told.start(now, tokens)
            self._unheard.value += 1
            return self._lane.pace.start(now, tokens)

    def leave(self, start: Start, attempt: Attempt | None, reserved_usd: float) -> None:
        """Learn from an attempt, and let the next look."""
        self._places.release()
        if self._purse:
            self._purse.settle(reserved_usd, attempt)
        self._unheard.value -= 1
        with self._ledger.lock():
            self._lane.pace.leave(self._now(), start, attempt)
            if attempt is not None:
                self._was_heard.value = 1
                self._told.settle(attempt, start.tokens)
                self._told.learn(attempt)
        if attempt is not None and is_final(attempt):
            self._stopped.write(f"not asked any more: {attempt.status.value.replace('_', ' ')}: {attempt.error}")
        self._line.look_again()
        self._lane.line.look_again()


class Passage:
    """One attempt under way."""

    __slots__ = ("_gate", "_reserved_usd", "_start")

    def __init__(self, gate: ModelGate, start: Start, reserved_usd: float) -> None:
        self._gate = gate
        self._start = start
        self._reserved_usd = reserved_usd

    def leave(self, attempt: Attempt | None) -> None:
        """Tell how it went."""
        self._gate.leave(self._start, attempt, self._reserved_usd)


class Gates:
    """The gates of a run's models in this process.

    At most `concurrency` requests are in flight, of all models and all processes with that ledger; of them this process
    may have `own_concurrency`.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        own_concurrency: int | None = None,
        ledger: Ledger | None = None,
        keeps_up: Callable[[], bool] = lambda: True,
    ) -> None:
        self._concurrency = concurrency
        self._own = own_concurrency or concurrency
        self._places = asyncio.Semaphore(math.ceil(PREPARING * self._own))
        self._ledger = ledger or Ledger()
        self._keeps_up = keeps_up
        self._lanes: dict[str, Lane] = {}
        self._gates: dict[str, ModelGate] = {}

    def of(self, model: ModelConfig, purse: Purse | None = None) -> ModelGate:
        """The gate of a model or judge, and what it pays from."""
        name = f"{model.name} {model.model} {lane_of(model)}"
        if name not in self._gates:
            page = self._ledger.page(name)
            first = self.most_of(model) if model.is_rehearsal else FIRST_IN_FLIGHT
            self._gates[name] = ModelGate(
                self._lane(model), Stated(Limits(), page), page, first=first, purse=purse, places=self._places
            )
        return self._gates[name]

    def _lane(self, model: ModelConfig) -> Lane:
        name = lane_of(model)
        if name not in self._lanes:
            pace = Pace(
                model.limits,
                self.most_of(model),
                page=self._ledger.page(name),
                first_per_second=math.inf if model.is_rehearsal else FIRST_PER_SECOND,
                now=asyncio.get_running_loop().time(),
                keeps_up=self._keeps_up,
            )
            self._lanes[name] = Lane(pace)
        return self._lanes[name]

    def most_of(self, model: ModelConfig) -> int:
        """How many requests of a model may be let through at once."""
        most = math.ceil(PREPARING * self._concurrency)
        return min(model.limits.concurrency or most, most)

    def room_of(self, model: ModelConfig) -> int:
        """How many trials of a model this process may have under way at once."""
        return math.ceil(PREPARING * min(self.most_of(model), math.ceil(PREPARING * self._own)))


def lane_of(model: ModelConfig) -> str:
    """What models share that wait for each other: a provider's address, a key and its limits."""
    provider = model.model.partition("/")[0]
    limits = ",".join(f"{name}={value}" for name, value in model.limits if value is not None)
    return " ".join((provider, model.api_base or "", model.api_key_env or "", limits))


def is_final(attempt: Attempt) -> bool:
    """True where no further call of that model can succeed in this run."""
    asks_too_much = (attempt.retry_after_s or 0.0) > MAX_WAIT_S
    return attempt.stop_model or asks_too_much
