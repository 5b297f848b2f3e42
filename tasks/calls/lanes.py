"""The gates of all models: whose requests wait for each other, and which are not asked any more."""

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from tasks.calls.adaptive import FIRST_PER_SECOND, Start
from tasks.calls.budget import Purse
from tasks.calls.gate import Attempt, Need, NotAdmitted
from tasks.calls.line import Line
from tasks.calls.pace import CellNamed, Pace, Stated, own_cell
from tasks.calls.retries import MAX_WAIT_S
from tasks.config import Limits, ModelConfig
from tasks.records import CallStatus

FIRST_IN_FLIGHT = 8
"""Until a model has answered: so many calls of a wrong key or name may be in vain."""

PREPARING = 1.25
"""Requests let through for each connection: the rest are being prepared, or their answers being read."""


class Lane:
    """One pace, and the line of those who wait for it."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.line = Line()


class ModelGate:
    """The gate of one model: who comes has its cost reserved, waits in the model's line, and then in its lane's."""

    def __init__(
        self,
        lane: Lane,
        told: Stated,
        *,
        first: int,
        purse: Purse | None,
        places: asyncio.Semaphore,
        lock: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.stopped: str | None = None
        self._lane = lane
        self._told = told
        self._line = Line()
        self._first = first
        self._purse = purse
        self._places = places
        self._lock = lock
        self._unheard = 0
        self._was_heard = False
        self._now = asyncio.get_running_loop().time

    async def enter(self, need: Need) -> "Passage":
        """Wait for the turn; raises NotAdmitted once the model is stopped or the budget used up."""
        reserved_usd = await self._purse.reserve(need) if self._purse else 0.0
        try:
            return Passage(self, await self._turn(need.tokens), reserved_usd)
        except BaseException:
            if self._purse:
                self._purse.give_back(reserved_usd)
            raise

    async def _turn(self, tokens: int) -> Start:
        """Wait until the model's own limits allow one more, then those of its key, then those of this process."""
        async with self._line as line:
            await line.until(self._told_ready_in_s)
            async with self._lane.line as lane_line:
                while True:
                    await lane_line.until(self._ready_in_s)
                    await self._places.acquire()
                    start = self._start(tokens)
                    if start is not None:
                        return start
                    self._places.release()

    def _told_ready_in_s(self) -> float:
        if self.stopped:
            raise NotAdmitted(CallStatus.MODEL_STOPPED, self.stopped)
        return self._told.ready_in_s(self._now())

    def _ready_in_s(self) -> float:
        if not self._was_heard and self._unheard >= self._first:
            return math.inf
        return max(self._told_ready_in_s(), self._lane.pace.ready_in_s(self._now()))

    def _start(self, tokens: int) -> Start | None:
        """Count a start, unless another process came first."""
        with self._lock():
            if self._ready_in_s() > 0:
                return None
            now = self._now()
            self._told.start(now, tokens)
            self._unheard += 1
            return self._lane.pace.start(now, tokens)

    def leave(self, start: Start, attempt: Attempt | None, reserved_usd: float) -> None:
        """Learn from an attempt, and let the next look."""
        self._places.release()
        if self._purse:
            self._purse.settle(reserved_usd, attempt)
        self._unheard -= 1
        with self._lock():
            self._lane.pace.leave(self._now(), start, attempt)
            if attempt is not None:
                self._was_heard = True
                self._told.settle(attempt, start.tokens)
                self._told.learn(attempt)
        if attempt is not None and is_final(attempt):
            self.stopped = f"not asked any more: {attempt.status.value.replace('_', ' ')}: {attempt.error}"
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
    """The gates of a run's models in this process, with at most `concurrency` requests in flight."""

    def __init__(
        self,
        concurrency: int,
        *,
        cell: CellNamed = own_cell,
        lock: Callable[[], AbstractContextManager[object]] = nullcontext,
        keeps_up: Callable[[], bool] = lambda: True,
    ) -> None:
        self._concurrency = concurrency
        self._places = asyncio.Semaphore(math.ceil(PREPARING * concurrency))
        self._cell = cell
        self._lock = lock
        self._keeps_up = keeps_up
        self._lanes: dict[str, Lane] = {}
        self._gates: dict[str, ModelGate] = {}

    def of(self, model: ModelConfig, purse: Purse | None = None) -> ModelGate:
        """The gate of a model or judge, and what it pays from."""
        name = f"{model.name} {model.model} {lane_of(model)}"
        if name not in self._gates:
            told = Stated(Limits(), lambda what: self._cell(f"{name}: {what}"))
            self._gates[name] = ModelGate(
                self._lane(model),
                told,
                first=self.most_of(model) if model.is_rehearsal else FIRST_IN_FLIGHT,
                purse=purse,
                places=self._places,
                lock=self._lock,
            )
        return self._gates[name]

    def _lane(self, model: ModelConfig) -> Lane:
        name = lane_of(model)
        if name not in self._lanes:
            pace = Pace(
                model.limits,
                self.most_of(model),
                first_per_second=math.inf if model.is_rehearsal else FIRST_PER_SECOND,
                now=asyncio.get_running_loop().time(),
                cell=lambda what: self._cell(f"{name}: {what}"),
                keeps_up=self._keeps_up,
            )
            self._lanes[name] = Lane(pace)
        return self._lanes[name]

    def most_of(self, model: ModelConfig) -> int:
        """How many requests of a model may be let through at once."""
        most = math.ceil(PREPARING * self._concurrency)
        return min(model.limits.concurrency or most, most)


def lane_of(model: ModelConfig) -> str:
    """What models share that wait for each other: a provider's address, a key and its limits."""
    provider = model.model.partition("/")[0]
    limits = ",".join(f"{name}={value}" for name, value in model.limits if value is not None)
    return " ".join((provider, model.api_base or "", model.api_key_env or "", limits))


def is_final(attempt: Attempt) -> bool:
    """True where no further call of that model can succeed in this run."""
    asks_too_much = (attempt.retry_after_s or 0.0) > MAX_WAIT_S
    return attempt.stop_model or asks_too_much
