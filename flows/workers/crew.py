"""The workers of a run: who does what, and what becomes of it when one of them dies."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Self

from flows.evaluating.budgeting import open_budget
from flows.signals import until_stopped
from flows.workers.hiring import Nursery, Wire
from flows.workers.member import Member, WorkerLost, ended_too_soon
from flows.workers.messages import (
    Begin,
    Broken,
    CloseRound,
    Evaluated,
    Inherit,
    Message,
    OpenRound,
    Ready,
    RoundClosed,
    Stop,
    Told,
)
from tasks.calls.journal import not_asked_beside
from tasks.config import Config, JudgeScorer
from tasks.errors import RunBroken
from tasks.plan import Shard

if TYPE_CHECKING:
    from flows.run import Run

SHARDS_EACH = 2
"""Of one model, that a worker evaluates at once: while one comes to its end, the other has enough to do."""

LIVES = 2
"""A shard that so many workers did not survive is given up: it may be what kills them."""

ATTEMPTS = 3
"""A seat stays empty, until the next round or death, where so many in a row ended before they could begin."""

LAST_ANSWERS_S = 5.0
"""How long workers may take to end once the run was interrupted."""

log = logging.getLogger(__name__)


class Crew:
    """The workers of one run; they begin to load what they need at once."""

    _run: "Run"

    def __init__(self, size: int) -> None:
        self.size = size
        self._nurseries = [Nursery(size)]
        self._is_open = False
        self._hired = 0
        self._present: list[Member] = []
        self._coming: dict[int, asyncio.Task[None]] = {}
        self._rooms: dict[str, asyncio.Semaphore] = {}
        self._keeps: dict[tuple[object, ...], Member] = {}

    def wait_until_loaded(self) -> None:
        """Wait until all have said that they can begin."""
        for wire in self._nurseries[0].wires:
            wire.connection.poll(None)

    def end(self) -> None:
        """End all workers."""
        nurseries, self._nurseries = self._nurseries, []
        for nursery in nurseries:
            nursery.end()

    @asynccontextmanager
    async def round(self, run: "Run") -> AsyncIterator[Self]:
        """Have shards evaluated meanwhile."""
        self._run = run
        if not self._hired:
            await asyncio.gather(*map(self._bring_in, self._nurseries[0].wires, self._seats))
        self._tell_all(OpenRound())
        self._is_open = True
        self._fill_seats()
        stopping = asyncio.create_task(self._pass_on(run.stop))
        try:
            yield self
            await self._close(run.stop)
        finally:
            self._is_open = False
            stopping.cancel()

    async def shard(self, shard: Shard) -> None:
        """Have one shard evaluated, by another worker where one dies over it; raises WorkerLost where none is left."""
        stop = self._run.stop
        async with self._rooms.setdefault(shard.model, asyncio.Semaphore(SHARDS_EACH * self.size)):
            if not stop.is_set():
                await until_stopped(asyncio.ensure_future(self._evaluate(shard)), stop, LAST_ANSWERS_S)

    async def _evaluate(self, shard: Shard) -> None:
        for _ in range(LIVES):
            member = await self._chosen(shard)
            try:
                await member.evaluate(shard)
            except WorkerLost:
                log.warning("%s: the worker at it died", shard)
            else:
                return
        raise WorkerLost(f"{LIVES} workers died over it")

    async def _chosen(self, shard: Shard) -> Member:
        """Who has least to do; what a judge is asked of the same cases stays with one, who knows what it said."""
        while not self._present:
            if not self._coming:
                raise WorkerLost("no worker is left, and none could be started")
            await asyncio.wait(self._coming.values(), return_when=asyncio.FIRST_COMPLETED)
        least_busy = min(self._present, key=lambda member: member.load(shard.model))
        if not is_judged(self._run, shard):
            return least_busy
        rows = (shard.suite, shard.phase, shard.start, shard.stop)
        if self._keeps.get(rows) not in self._present:
            self._keeps[rows] = least_busy
        return self._keeps[rows]

    async def _bring_in(self, wire: Wire, seat: int) -> None:
        """Wait until a worker has loaded what it needs, and tell it of the run."""
        run, self._hired = self._run, self._hired + 1
        member = Member(wire, self._hired, seat)
        member.listen(self._hear, self._lose)
        await member.is_ready
        if member.is_lost:
            raise ended_too_soon()
        concurrency = run.config.concurrency // self.size + (seat <= run.config.concurrency % self.size)
        member.tell(Begin(run.plan, run.folder, run.file, member.number, seat, concurrency))
        if self._is_open:
            member.tell(OpenRound())
        self._present.append(member)

    def _tell_all(self, message: Message) -> None:
        for member in self._present:
            member.tell(message)

    async def _pass_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._tell_all(Stop())

    async def _close(self, stop: asyncio.Event) -> None:
        """Wait until all is on disk."""
        members = list(self._present)
        self._tell_all(CloseRound())
        await until_stopped(asyncio.ensure_future(all_closed(members)), stop, LAST_ANSWERS_S)

    def _hear(self, member: Member, message: Message) -> None:
        """Take what a worker says."""
        run = self._run
        match message:
            case Ready():
                member.is_ready.set_result(None)
            case Told(news):
                run.tell(news)
            case Evaluated(shard, broke):
                member.settle(shard, broke)
            case Broken(reason):
                member.give_up(RunBroken(reason))
            case RoundClosed(answered, disturbed, notes):
                run.answered += answered
                run.disturbed += disturbed
                run.notes += [note for note in notes if note not in run.notes]
                member.has_closed.set()

    def _lose(self, member: Member) -> None:
        """A worker is no more: settle what it had under way, let the others go on, and hire another."""
        run = self._run
        if not self._nurseries:
            return
        if member in self._present:
            self._present.remove(member)
            self._bury(run, member)
            if self._is_open and not run.stop.is_set():
                self._fill_seats()
        member.lose()

    def _bury(self, run: "Run", member: Member) -> None:
        run.notes.append("a worker died; what it had not finished went to another")
        if opened := open_budget(run, run.ledger):
            opened.budget.bury(member.seat)
        run.ledger.vacate(member.seat)
        journal = run.folder.journal(member.number)
        self._tell_all(Inherit(tuple(path for path in (journal, not_asked_beside(journal)) if path.exists())))

    @property
    def _seats(self) -> range:
        return range(1, self.size + 1)

    def _fill_seats(self) -> None:
        """Hire for every seat that nobody has."""
        for seat in set(self._seats) - self._coming.keys() - {member.seat for member in self._present}:
            self._coming[seat] = asyncio.create_task(self._hire(seat))

    async def _hire(self, seat: int) -> None:
        """Bring in a new worker; where none can begin, the others go on, if there are any."""
        try:
            for _ in range(ATTEMPTS):
                if await self._could_bring_in(seat):
                    return
        finally:
            del self._coming[seat]
        note = f"a worker that died could not be replaced: of {self.size}, {len(self._present)} went on"
        self._run.notes += [note] if note not in self._run.notes else []

    async def _could_bring_in(self, seat: int) -> bool:
        try:
            self._nurseries.append(Nursery(1))
            await self._bring_in(self._nurseries[-1].wires[0], seat)
        except (RunBroken, OSError, RuntimeError) as error:  # no process, no file or no thread may be left
            log.warning("a worker could not be replaced: %s", error)
            return False
        return True


async def all_closed(members: Sequence[Member]) -> None:
    """Wait until all have closed their round, or died."""
    for member in members:
        await member.has_closed.wait()
        member.has_closed.clear()


def is_judged(run: "Run", shard: Shard) -> bool:
    """True where a judge scores."""
    scorers = run.plan.suite_named(shard.suite).config.scorers
    return any(isinstance(scorer, JudgeScorer) for scorer in scorers)


def crew_size(config: Config) -> int:
    """How many workers a config asks for; 0 where this process does the work itself."""
    size = min(config.workers, config.concurrency)
    return size if size > 1 else 0


@contextmanager
def hired(config: Config) -> Iterator[Crew | None]:
    """The workers that a config asks for, if it does, until left."""
    crew = Crew(size) if (size := crew_size(config)) else None
    try:
        yield crew
    finally:
        if crew:
            crew.end()
