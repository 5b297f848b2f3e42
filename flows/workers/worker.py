"""A worker: evaluates the shards that its parent sends, and ends with it."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import NoReturn

from flows.evaluating.budgeting import ledger_of
from flows.evaluating.evaluation import Evaluation, Process, open_evaluation
from flows.news import NONE, News
from flows.run import Run
from flows.workers.messages import (
    Begin,
    Broken,
    CloseRound,
    Evaluate,
    Evaluated,
    Inherit,
    Message,
    OpenRound,
    Ready,
    RoundClosed,
    Stop,
    Told,
    listen,
)
from tasks.calls.journal import stock_of
from tasks.calls.ledger import Ledger
from tasks.errors import DaybreakError
from tasks.plan import Shard

TOLD_EVERY_S = 0.2


def work(socket: int) -> NoReturn:
    """Work until the parent closes its end, in whatever way it ends. Each line of the journal is whole by then."""
    random.seed()  # a fork has its siblings'
    wire = Connection(socket)
    try:
        wire.send(Ready())
        asyncio.run(Worker(wire, begin=wire.recv()).live())
    except Exception as error:  # noqa: BLE001 (the parent says it)
        wire.send(Broken(f"a worker broke: {error!r}"))
    finally:
        os._exit(1)


class Worker:
    """One worker with its wire to the parent."""

    def __init__(self, wire: Connection, begin: Begin) -> None:
        self._wire = wire
        self._process = Process(begin.number, begin.concurrency)
        self._news = NONE
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._run = Run(
            plan=begin.plan,
            folder=begin.folder,
            file=begin.file,
            tell=self._collect,
            done=stock_of(begin.folder.journals()),
            ledger=Ledger.at(ledger_of(begin.folder), seat=begin.seat),
        )

    async def live(self) -> None:
        """Evaluate round after round."""
        loop = asyncio.get_running_loop()
        listen(
            self._wire,
            hear=lambda message: loop.call_soon_threadsafe(self._inbox.put_nowait, message),
            ended=lambda: os._exit(0),  # at once, even if the loop is busy: the run may be resumed already
        )
        while True:
            message = await self._inbox.get()
            if isinstance(message, OpenRound):
                await self._round()
            else:
                self._heed(message)

    def _collect(self, news: News) -> None:
        self._news += news

    async def _round(self) -> None:
        """Evaluate what is sent until no more comes."""
        async with (
            open_evaluation(self._run, self._process) as evaluation,
            self._telling(),
            asyncio.TaskGroup() as group,
        ):
            while not isinstance(message := await self._inbox.get(), CloseRound):
                if isinstance(message, Evaluate):
                    group.create_task(self._evaluate(evaluation, message.shard))
                else:
                    self._heed(message)
        run = self._run
        self._wire.send(RoundClosed(run.answered, run.disturbed, run.notes))
        run.answered, run.disturbed, run.notes = Counter(), Counter(), []

    async def _evaluate(self, evaluation: Evaluation, shard: Shard) -> None:
        try:
            await evaluation.shard(shard)
        except DaybreakError as error:
            self._wire.send(Broken(str(error)))
            return
        except Exception as error:  # noqa: BLE001 (whatever it is leaves that cell unmeasured, and the rest alone)
            ended = Evaluated(shard, broke=repr(error))
        else:
            ended = Evaluated(shard)
        self._tell()
        self._wire.send(ended)

    @asynccontextmanager
    async def _telling(self) -> AsyncIterator[None]:
        """Tell progress now and then."""

        async def tell() -> None:
            while True:
                await asyncio.sleep(TOLD_EVERY_S)
                self._tell()

        telling = asyncio.create_task(tell())
        try:
            yield
        finally:
            telling.cancel()

    def _tell(self) -> None:
        if self._news != NONE:
            self._wire.send(Told(self._news))
            self._news = NONE

    def _heed(self, message: Message) -> None:
        """Do what may come at any time."""
        match message:
            case Inherit(journals):
                self._run.done.add(stock_of(journals))
            case Stop():
                self._run.stop.set()
