"""A run under way: its plan, its folder, and what every step of it needs."""

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flows.prepared import Prepared
from flows.signals import stop_event
from tasks.calls.journal import Trial
from tasks.config import Config, ModelConfig
from tasks.documents import ConfigFile
from tasks.errors import RunBroken
from tasks.plan import Plan, RunFolder
from tasks.records import Run as RunRecord
from tasks.records import RunStatus


@dataclass(kw_only=True)
class Run:
    """What the steps of one run share; `tell` shows progress, `stop` ends it early."""

    plan: Plan
    folder: RunFolder
    file: ConfigFile
    tell: Callable[[Trial], None] = lambda _: None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    broken_cells: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def env(self) -> Mapping[str, str]:
        return self.file.env

    @property
    def results(self) -> Path:
        return self.folder.results

    @property
    def id(self) -> str:
        return self.plan.run_id

    def record(self, status: RunStatus, *, calls: int, cost_usd: float | None) -> RunRecord:
        """The run's line in the warehouse."""
        moment = now()
        return RunRecord(
            run_id=self.id,
            flow=self.plan.flow,
            started_at=self.plan.created_at,
            finished_at=moment,
            recorded_at=moment,
            status=status,
            calls=calls,
            cost_usd=cost_usd,
        )

    @property
    def config(self) -> Config:
        return self.file.config

    def model_named(self, name: str) -> ModelConfig:
        """A model of the plan."""
        model = self.config.model_named(name)
        if model is None:
            raise RunBroken(f"the plan of {self.id} names the model {name!r}, which its config does not have")
        return model

    def judge_named(self, name: str) -> ModelConfig:
        """A judge of the plan."""
        judge = next((judge for judge in self.config.judges if judge.name == name), None)
        if judge is None:
            raise RunBroken(f"the plan of {self.id} names the judge {name!r}, which its config does not have")
        return judge

    def redact(self, text: str) -> str:
        """Take every secret we know out of a text that will be kept."""
        for secret in sorted(self.file.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


@contextmanager
def open_run(prepared: Prepared) -> Iterator[Run]:
    """Create the run's folder with its plan, and hold it for as long as the run lives."""
    folder = RunFolder(prepared.file.results, prepared.plan.run_id)
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        write_durably(folder.plan, prepared.plan.to_json())
    except OSError as error:
        raise RunBroken(f"{folder.path}: cannot write the run's plan: {error.strerror}") from error
    with held(folder.path / "alive"):
        yield Run(plan=prepared.plan, folder=folder, file=prepared.file, tell=prepared.tell, stop=stop_event())


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock file, which the system lets go of when this process ends in whatever way."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def is_alive(folder: RunFolder) -> bool:
    """True while a process holds the run."""
    try:
        with (folder.path / "alive").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def write_durably(path: Path, content: bytes) -> None:
    """Write a small file so that it is either there whole or not at all."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def now() -> datetime:
    """The time, to the microsecond, in UTC."""
    return datetime.now(UTC)
