"""What judges said, kept so that an unchanged question is not asked again.

An SQLite file in write-ahead mode: processes and runs may use it at once, lookups take no memory, and what a crash cut
off is not there. It holds no facts: who deletes it pays for the same verdicts once more.
"""

import hashlib
import sqlite3
from pathlib import Path
from typing import Self

VERDICTS = "judge-verdicts.sqlite"
"""Its name in a results folder."""

WAIT_S = 5.0
"""For another process that writes; a write takes some microseconds."""


class VerdictCache:
    """Verdicts by judge and question, for one thread. A file that cannot be used costs money, never a run.

    `fault` says why it is not used any more, if so.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fault: str | None = None
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS verdicts (key BLOB PRIMARY KEY, verdict TEXT NOT NULL) WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def get(self, judge: str, question: str) -> str | None:
        """The verdict that was kept, if any."""
        rows = self._execute("SELECT verdict FROM verdicts WHERE key = ?", key_of(judge, question))
        return str(rows[0][0]) if rows else None

    def put(self, judge: str, question: str, verdict: str) -> None:
        """Keep a verdict; the latest of a question counts."""
        self._execute("INSERT OR REPLACE INTO verdicts (key, verdict) VALUES (?, ?)", key_of(judge, question), verdict)

    def _execute(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _give_up(self, error: Exception) -> None:
        self.fault = f"{self.path}: the kept verdicts cannot be used: {error}; delete it if that stays so"
        if self._connection:
            self._connection.close()
            self._connection = None


def key_of(judge: str, question: str) -> bytes:
    """The 32 bytes under which a verdict is kept."""
    return hashlib.sha256(f"{judge} {question}".encode()).digest()
