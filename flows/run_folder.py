"""The folder of a run: its plan, and whether a process is at it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from tasks.errors import RunBroken, UsageError
from tasks.plan import Plan, RunFolder

ALIVE = "alive"


@contextmanager
def held(folder: RunFolder) -> Iterator[None]:
    """Hold a run, which the system lets go of when this process ends in whatever way."""
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        file = (folder.path / ALIVE).open("w")
    except OSError as error:
        raise RunBroken(f"{folder.path}: cannot be written: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError.single(f"{folder.run_id} is still alive: another process is at it") from error
        yield


def is_alive(folder: RunFolder) -> bool:
    """True while a process holds the run."""
    try:
        with (folder.path / ALIVE).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def keep_plan(folder: RunFolder, plan: Plan) -> None:
    """Write what a run is going to do, and the config that it goes by: as it was written, so without secrets."""
    try:
        write_durably(folder.config, orjson.dumps(dict(plan.config), option=orjson.OPT_INDENT_2))
        write_durably(folder.plan, plan.to_json())
    except OSError as error:
        raise RunBroken(f"{folder.path}: cannot write the run's plan: {error.strerror}") from error


def write_durably(path: Path, content: bytes) -> None:
    """Write a small file so that it is either there whole or not at all."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
