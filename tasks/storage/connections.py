"""Opening the warehouse's file with the right settings, and DuckDB's errors in Daybreak's words."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.documents.wording import shown
from tasks.errors import RunBroken
from tasks.storage.gate import Patience, wait_for_writers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
WRITING = {**OFFLINE, "storage_compatibility_version": "v1.5.0", "threads": "1"}
"""What 2.0 writes unasked, 1.5 cannot read. More threads take more memory and are no faster."""

READING = {**OFFLINE, "enable_external_access": "false", "python_enable_replacements": "false"}
"""A reader sees the warehouse and nothing else: no file, no network, no variable of this program."""

ADVICE_ON_SPACE = "give the folder space and write permission; the Parquet parts hold everything that was finished"
ADVICE_ON_DAMAGE = "run `daybreak rebuild`: the Parquet parts hold everything that was finished"

LITTLE_MEMORY = "24MB"

_opening = threading.Lock()


def connection(path: Path, patience: Patience, *, read_only: bool = False) -> "DuckDBPyConnection":
    """Open the file as soon as those who have it open let go; whoever they are, they are waited for."""
    import duckdb

    while True:
        if read_only:
            wait_for_writers(path, patience)
        try:
            return connect(path, READING if read_only else WRITING, read_only=read_only)
        except duckdb.Error as error:
            if not is_busy(error):
                raise
            patience.wait(holder_in(error))


def in_memory() -> "DuckDBPyConnection":
    """Open a database without a file."""
    return connect(":memory:", READING, read_only=False)


def connect(path: str | Path, settings: Mapping[str, str], *, read_only: bool) -> "DuckDBPyConnection":
    """Connect, show times in UTC, and lock the settings of readers.

    Connections of one process to one file share their settings: the next one finds them set, and could not set them.
    """
    import duckdb

    with _opening:
        con = duckdb.connect(path, read_only=read_only, config=dict(settings))
        if con.execute("SELECT current_setting('lock_configuration')").fetchone() == (False,):
            con.execute("SET GLOBAL TimeZone = 'UTC'")
            con.execute(f"SET lock_configuration = {settings is READING}")
        return con


@contextmanager
def little_memory(con: "DuckDBPyConnection") -> Iterator[None]:
    """Have rows go to the disk as they come, which is no slower, however many they are.

    After an error in here, the connection is only good for closing, which then leaves the file alone: DuckDB 1.5 keeps
    rows of a commit that failed for lack of memory. The checkpoint at a usual end may take more memory.
    """
    import duckdb

    [(usual,)] = con.execute("SELECT current_setting('memory_limit')").fetchall()
    con.execute(f"SET memory_limit = '{LITTLE_MEMORY}'")
    try:
        yield
    except duckdb.Error:
        with suppress(duckdb.Error):  # said by a file that takes no more commands
            con.execute("PRAGMA disable_checkpoint_on_shutdown")
        raise
    con.execute(f"SET memory_limit = '{usual}'")


def wal_of(path: Path) -> Path:
    """Where DuckDB keeps what is committed and not yet in the file."""
    return path.with_name(f"{path.name}.wal")


def holder_in(error: Exception) -> str:
    """Who holds the file, as DuckDB says it."""
    said = re.search(r"Conflicting lock is held in .*?\(PID \d+\)", str(error))
    return said[0] if said else first_line(error)


def is_busy(error: Exception) -> bool:
    """True when another process, or another part of this one, has the file open in a way that excludes ours."""
    return "Could not set lock" in str(error) or "different configuration" in str(error)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what DuckDB and the file system say of a warehouse into RunBroken with what to do."""
    import duckdb

    try:
        yield
    except OSError as error:
        raise RunBroken(f"{error.filename or path}: {error.strerror or error}; {ADVICE_ON_SPACE}") from error
    except duckdb.OutOfMemoryException as error:
        raise RunBroken(f"{shown(path)}: {error}") from error
    except duckdb.Error as error:
        advice = ADVICE_ON_SPACE if is_about_space(error) else ADVICE_ON_DAMAGE
        raise RunBroken(f"{shown(path)}: {first_line(error)}; {advice}") from error


def is_about_space(error: Exception) -> bool:
    """True for a disk that is full or may not be written."""
    words = ("No space left", "File too large", "Read-only file system", "Permission denied", "Could not write")
    return any(word in str(error) for word in words)


def first_line(error: Exception) -> str:
    """The part of a library's message that says what happened."""
    return str(error).strip().partition("\n")[0]
