"""What a run's parent and its workers say to each other, pickled over a socket between them."""

import threading
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from flows.news import CellName, News
from tasks.documents import ConfigFile
from tasks.plan import Plan, RunFolder, Shard


class Begin(NamedTuple):
    """To a worker, once: the run, the number of its journal, its seat in the ledger, its part of the concurrency."""

    plan: Plan
    folder: RunFolder
    file: ConfigFile
    number: int
    seat: int
    concurrency: int


class OpenRound(NamedTuple):
    """To a worker: shards are coming."""


class Evaluate(NamedTuple):
    """To a worker: a shard."""

    shard: Shard


class Inherit(NamedTuple):
    """To a worker: what these journals of one that is no more hold is done."""

    journals: tuple[Path, ...]


class Stop(NamedTuple):
    """To a worker: the run was interrupted."""


class CloseRound(NamedTuple):
    """To a worker: no more shards are coming for now."""


class Told(NamedTuple):
    """From a worker: progress."""

    news: News


class Evaluated(NamedTuple):
    """From a worker: a shard is done, or broke for a reason."""

    shard: Shard
    broke: str | None = None


class Broken(NamedTuple):
    """From a worker: the run cannot go on."""

    reason: str


class RoundClosed(NamedTuple):
    """From a worker: everything is on disk; with answers counted per cell, those that the process disturbed, notes."""

    answered: Counter[CellName]
    disturbed: Counter[CellName]
    notes: list[str]


class Ready(NamedTuple):
    """From a worker, first: it has loaded what it needs."""


Message = Begin | OpenRound | Evaluate | Inherit | Stop | CloseRound | Told | Evaluated | Broken | RoundClosed | Ready


def listen(wire: Connection, hear: Callable[[Message], object], ended: Callable[[], object]) -> threading.Thread:
    """Pass on what comes over a wire, from a thread of its own, until the other side is gone."""

    def receive() -> None:
        try:
            while True:
                hear(wire.recv())
        except (EOFError, OSError):
            ended()

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    return thread
