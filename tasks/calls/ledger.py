"""Numbers that the processes of a run share: memory that all of them map, and one lock.

A row belongs to a name. It holds one number of all processes, and one of each (its seat), so that what a process that
was killed had under way can be told, and taken back.
"""

import fcntl
import hashlib
import math
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import RunBroken
from tasks.files import write_whole

ROWS = 8192
NOTES = 256
OF_ALL, OF_SEATS = 1, 2
"""Columns of a row; the first holds the hash of its name."""

NOTE_BYTES = 512


class Cell:
    """A number; what another process may change, too, is changed under the ledger's lock."""

    __slots__ = ("_at", "_numbers")

    def __init__(self, numbers: "memoryview[float]", at: int) -> None:
        self._numbers = numbers
        self._at = at

    @property
    def value(self) -> float:
        return self._numbers[self._at]

    @value.setter
    def value(self, value: float) -> None:
        self._numbers[self._at] = value


class Count(Cell):
    """A number of this process, and what those of all processes come to."""

    __slots__ = ("_seats",)

    def __init__(self, numbers: "memoryview[float]", start: int, seats: int, seat: int) -> None:
        super().__init__(numbers, start + seat)
        self._seats = slice(start, start + seats)

    @property
    def total(self) -> float:
        return math.fsum(self._numbers[self._seats])


class Note:
    """A short text, None until it is written."""

    __slots__ = ("_bytes", "_written")

    def __init__(self, written: Cell, place: "memoryview[int]") -> None:
        self._written = written
        self._bytes = place

    @property
    def text(self) -> str | None:
        return bytes(self._bytes).rstrip(b"\0").decode("utf-8", "ignore") if self._written.value else None

    def write(self, text: str) -> None:
        """Write it, cut to what there is room for."""
        self._bytes[:] = text.encode("utf-8", "replace")[:NOTE_BYTES].ljust(NOTE_BYTES, b"\0")
        self._written.value = 1.0


class Ledger:
    """The numbers of a run as the process in one of its `seats` sees them; without a file they are its own."""

    def __init__(self, seats: int = 1, seat: int = 0, *, memory: mmap.mmap | None = None, file: int = -1) -> None:
        self.seats = seats
        self.seat = seat
        self._file = file
        self._width = OF_SEATS + seats
        end = 8 * ROWS * self._width
        self._memory = memory or mmap.mmap(file, end + NOTES * NOTE_BYTES)
        rows = memoryview(self._memory)[:end]
        self._numbers: memoryview[float] = rows.cast("d")
        self._hashes: memoryview[int] = rows.cast("Q")
        self._notes = memoryview(self._memory)[end:]

    @classmethod
    def new(cls, path: Path, seats: int) -> "Ledger":
        """Make the file of a run, with all its room: a disk that is full later would kill who writes into it."""
        write_whole(path, bytes(8 * ROWS * (OF_SEATS + seats) + NOTES * NOTE_BYTES), synced=False)
        return cls.at(path, seat=0)

    @classmethod
    def at(cls, path: Path, *, seat: int) -> "Ledger":
        """Open the file of a run."""
        file = os.open(path, os.O_RDWR)
        seats = (os.fstat(file).st_size - NOTES * NOTE_BYTES) // (8 * ROWS) - OF_SEATS
        return cls(seats, seat, file=file)

    def seen_from(self, seat: int) -> "Ledger":
        """The same numbers as another process sees them."""
        return Ledger(self.seats, seat, memory=self._memory, file=self._file)

    @property
    def is_shared(self) -> bool:
        """True where others change its numbers, too, without telling."""
        return self.seats > 1

    def page(self, name: str) -> "Page":
        """The numbers of one thing."""
        return Page(self, name)

    def cell(self, name: str, first: float = 0.0) -> Cell:
        """The number of all under a name, `first` until somebody changes it."""
        return Cell(self._numbers, self._row(name, first) * self._width + OF_ALL)

    def count(self, name: str) -> Count:
        """The numbers of the processes under a name."""
        return Count(self._numbers, self._row(name) * self._width + OF_SEATS, self.seats, self.seat)

    def note(self, name: str) -> Note:
        """The text under a name."""
        written, number, last = self.cell(name), self.cell(f"{name}: number"), self.cell("notes")
        with self.lock():
            if not number.value:
                number.value = last.value = last.value + 1
        if number.value > NOTES:
            raise RunBroken(f"the run has too many models: {NOTES} notes do not suffice")
        start = NOTE_BYTES * (int(number.value) - 1)
        return Note(written, self._notes[start : start + NOTE_BYTES])

    def vacate(self, seat: int) -> None:
        """Forget the numbers of a process that is no more."""
        with self.lock():
            self._numbers[OF_SEATS + seat :: self._width] = memoryview(bytes(8 * ROWS)).cast("d")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep the other processes out; not to be nested."""
        if self._file < 0 or not self.is_shared:
            yield
            return
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _row(self, name: str, first: float = 0.0) -> int:
        """The row of a name, by open addressing; a new one begins with `first`."""
        wanted = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) or 1
        with self.lock():
            for step in range(ROWS):
                row = (wanted + step) % ROWS
                at = row * self._width
                if self._hashes[at] == wanted:
                    return row
                if not self._hashes[at]:
                    self._numbers[at + OF_ALL] = first
                    self._hashes[at] = wanted
                    return row
        raise RunBroken(f"the run has too many models with limits of their own: {ROWS} numbers do not suffice")


@dataclass(frozen=True, slots=True)
class Page:
    """The numbers of one thing in a ledger, by names of their own."""

    ledger: Ledger
    name: str

    def cell(self, what: str, first: float = 0.0) -> Cell:
        """A number of all processes."""
        return self.ledger.cell(f"{self.name}: {what}", first)

    def count(self, what: str) -> Count:
        """A number of each process."""
        return self.ledger.count(f"{self.name}: {what}")

    def note(self, what: str) -> Note:
        """A text."""
        return self.ledger.note(f"{self.name}: {what}")
