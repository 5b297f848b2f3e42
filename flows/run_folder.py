"""The folder of a run: its plan, and whether a process is at it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from tasks.errors import RunBroken, UsageError
from tasks.files import write_whole
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
        write_whole(folder.config, orjson.dumps(dict(plan.config), option=orjson.OPT_INDENT_2))
        write_whole(folder.plan, plan.to_json())
    except OSError as error:
        raise RunBroken(f"{folder.path}: cannot write the run's plan: {error.strerror}") from error
