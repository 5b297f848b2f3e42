"""Who may open the warehouse, and when.

DuckDB lets one process write or several read, and refuses all others at once. They wait here: a writer holds the gate
(a lock file) until it is done, and a reader passes through it before it opens. So readers that come back at once cannot
keep a writer out: without a gate, three of them did so for more than 30 s.
"""

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import WarehouseBusy


class Patience:
    """Waiting for others, in growing steps with jitter, until a time is up."""

    def __init__(self, path: Path, wait_s: float) -> None:
        self._path = path
        self._ends = time.monotonic() + wait_s
        self._wait_s = wait_s
        self._step_s = 0.002

    def wait(self, reason: str) -> None:
        """Sleep a little; raises WarehouseBusy when the time is up."""
        if time.monotonic() > self._ends:
            raise WarehouseBusy(
                f"{self._path}: busy for {self._wait_s:g} s: {reason}; nothing is lost, try again when it has ended"
            )
        time.sleep(self._step_s * random.uniform(0.5, 1.5))
        self._step_s = min(self._step_s * 1.5, 0.03)


@contextmanager
def writers_turn(path: Path, patience: Patience) -> Iterator[None]:
    """Hold the gate: no other writer comes in, and no further reader."""
    with gate_of(path).open("a+b") as gate:
        pass_gate(gate.fileno(), fcntl.LOCK_EX, patience)
        gate.truncate(0)
        gate.write(str(os.getpid()).encode())
        gate.flush()
        yield


def wait_for_writers(path: Path, patience: Patience) -> None:
    """Come in behind the writers that are waiting or at work. Where no writer ever was, there is no gate."""
    try:
        gate = os.open(gate_of(path), os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        pass_gate(gate, fcntl.LOCK_SH, patience)
    finally:
        os.close(gate)


def pass_gate(gate: int, lock: int, patience: Patience) -> None:
    """Take a lock on the gate's file."""
    while True:
        try:
            return fcntl.flock(gate, lock | fcntl.LOCK_NB)
        except BlockingIOError:
            patience.wait(f"process {os.pread(gate, 20, 0).decode() or 'unknown'} is writing to it")


def gate_of(path: Path) -> Path:
    """The lock file beside a warehouse."""
    return path.with_name(f".{path.name}.lock")
