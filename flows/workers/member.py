"""One worker, as the parent sees it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from flows.workers.hiring import Wire
from flows.workers.messages import Evaluate, Message, listen
from tasks.errors import RunBroken
from tasks.plan import Shard


class WorkerLost(Exception):
    """A worker ended before it was done."""


class Member:
    """A worker of a crew; `number` is that of its journal, `seat` its place in the ledger and then its successor's."""

    def __init__(self, wire: Wire, number: int, seat: int) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.seat = seat
        self.is_lost = False
        self.is_ready: asyncio.Future[None] = loop.create_future()
        self.has_closed = asyncio.Event()
        self._connection = wire.connection
        self._loop = loop
        self._shards: dict[Shard, asyncio.Future[None]] = {}

    def listen(self, hear: Callable[["Member", Message], None], lost: Callable[["Member"], None]) -> None:
        """Have what it says, and that it is no more, heard in the running loop."""

        def post(what: Callable[..., None], *arguments: object) -> None:
            with suppress(RuntimeError):  # the loop has ended, and the run with it
                self._loop.call_soon_threadsafe(what, self, *arguments)

        listen(self._connection, lambda message: post(hear, message), lambda: post(lost))

    def tell(self, message: Message) -> None:
        """Send it something; where it is no more, that will be heard soon."""
        with suppress(OSError):
            self._connection.send(message)

    async def evaluate(self, shard: Shard) -> None:
        """Have a shard evaluated; raises what breaks it."""
        self._shards[shard] = self._loop.create_future()
        self.tell(Evaluate(shard))
        try:
            await self._shards[shard]
        finally:
            del self._shards[shard]

    def settle(self, shard: Shard, broke: str | None) -> None:
        """Hear how a shard ended."""
        future = self._shards.get(shard)
        if future and not future.done():
            future.set_exception(RuntimeError(broke)) if broke else future.set_result(None)

    def give_up(self, error: Exception) -> None:
        """Let those who wait for it know that nothing will come."""
        self.has_closed.set()
        for future in self._shards.values():
            if not future.done():
                future.set_exception(error)
        if not self.is_ready.done():
            self.is_ready.set_exception(ended_too_soon())

    def lose(self) -> None:
        """Hear that it is no more."""
        self.is_lost = True
        self.give_up(WorkerLost())

    def load(self, model: str) -> tuple[int, int]:
        """How many shards it has, of one model and in all."""
        return sum(shard.model == model for shard in self._shards), len(self._shards)


def ended_too_soon() -> RunBroken:
    """What is said of a worker that never began."""
    return RunBroken("a worker ended before it could begin; what it said is above")
