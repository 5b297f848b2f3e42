"""The journal of a run: a line per finished call or trial, on disk before it counts.

A line is a JSON object {"key", "calls", "scores", "outcome"}. A trial that needs a judge has several lines: its answer
and each of the judge's as soon as that was paid for, and its scores when the judge has spoken. Trials that were never
asked stand in a file of their own, which a resumed run removes, since it asks them.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from tasks.records import Call, CallStatus, Finding, Outcome, Score, TrialKey

NOT_ASKED = "not-asked-"
CALL_FIELDS = tuple(field.name for field in fields(Call) if field.name != "key")


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything known of one trial; `outcome` is None while its scores are still to come."""

    key: TrialKey
    calls: tuple[Call, ...]
    scores: tuple[Score, ...] = ()
    outcome: Outcome | None = None

    @property
    def was_asked(self) -> bool:
        """True when something was sent to a provider for it, now or by an earlier line."""
        return bool(self.calls or self.scores)


class Journal:
    """An open journal file of one process, with another beside it for what was not asked; appends are whole lines."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._asked, self._not_asked = open_to_append(path), open_to_append(not_asked_beside(path))

    def append(self, trial: Trial) -> None:
        """Write one line; it survives the end of this process, and after `sync` that of the machine."""
        file, line = self._asked if trial.was_asked else self._not_asked, memoryview(encode(trial))
        while line:
            line = line[os.write(file, line) :]

    def sync(self) -> None:
        """Make what was appended survive a power cut."""
        os.fsync(self._asked)

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        os.close(self._asked)
        os.close(self._not_asked)


def open_to_append(path: Path) -> int:
    """A file descriptor that writes at the end."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def not_asked_beside(path: Path) -> Path:
    """Where the trials of a journal stand that were never asked."""
    return path.with_name(path.name.replace("journal-", NOT_ASKED, 1))


def encode(trial: Trial) -> bytes:
    """One line of the journal."""
    scores = [[s.scorer, s.finding.passed, s.finding.value, s.finding.reason] for s in trial.scores]
    outcome = trial.outcome and [trial.outcome.outcome, trial.outcome.reason]
    calls = [{name: getattr(call, name) for name in CALL_FIELDS} for call in trial.calls]
    line = {"key": list(trial.key), "calls": calls, "scores": scores, "outcome": outcome}
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return orjson.dumps(without_surrogates(line), option=orjson.OPT_APPEND_NEWLINE)


def without_surrogates(value: Any) -> Any:
    """Replace what UTF-8 cannot carry, which only a broken answer holds."""
    match value:
        case str():
            return str(value).encode("utf-8", "replace").decode()
        case list():
            return [without_surrogates(item) for item in value]
        case dict():
            return {key: without_surrogates(item) for key, item in value.items()}
        case _:
            return value


def decode(line: bytes) -> Trial:
    """Read one line back; raises ValueError for a torn one."""
    data = orjson.loads(line)
    key = TrialKey(*data["key"])
    return Trial(
        key,
        tuple(decode_call(key, call) for call in data["calls"]),
        tuple(Score(key, name, Finding(passed, reason, value)) for name, passed, value, reason in data["scores"]),
        Outcome(key, *data["outcome"]) if data["outcome"] else None,
    )


def decode_call(key: TrialKey, data: dict[str, Any]) -> Call:
    """Read one call back."""
    started_at = datetime.fromisoformat(data.pop("started_at"))
    return Call(key=key, started_at=started_at, status=CallStatus(data.pop("status")), **data)


def read_lines(paths: Iterable[Path], torn: list[str]) -> Iterator[Trial]:
    """Yield the lines of several journals; one that a crash cut off is named in `torn` and skipped."""
    for path in paths:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield decode(line)
                except (ValueError, KeyError, TypeError):
                    torn.append(f"{path.name}:{number}")


def read_trials(paths: Iterable[Path], torn: list[str]) -> Iterator[Trial]:
    """Yield each trial once, its lines joined; what was answered but never scored comes last, without outcome."""
    waiting: dict[TrialKey, Trial] = {}
    for line in read_lines(paths, torn):
        earlier = waiting.pop(line.key, None)
        trial = replace(line, calls=earlier.calls + line.calls) if earlier else line
        if trial.outcome is None:
            waiting[trial.key] = trial
        else:
            yield trial
    yield from waiting.values()


class Done(NamedTuple):
    """What is behind an interrupted run: trials with their outcome, and answers that nobody has scored yet."""

    finished: set[TrialKey]
    answered: dict[TrialKey, Call]
    torn: list[str]

    @property
    def kept(self) -> int:
        """How many trials were answered."""
        return len(self.finished | self.answered.keys())

    def add(self, more: "Done") -> None:
        """Take over what somebody else has done."""
        self.finished.update(more.finished)
        self.answered.update(more.answered)
        self.torn.extend(more.torn)


def stock_of(journals: Iterable[Path]) -> Done:
    """Read what journals hold; probes aside."""
    done = Done(set(), {}, [])
    for trial in read_trials(journals, done.torn):
        if trial.outcome:
            done.finished.add(trial.key)
        else:
            done.answered.update((trial.key, call) for call in trial.calls if call.role == "model")
    return done


def take_stock(folder: Path) -> Done:
    """Read the journals of a run that is resumed, and forget what was not asked: it will be."""
    for path in folder.glob(f"{NOT_ASKED}*.jsonl"):
        path.unlink()
    return stock_of(sorted(folder.glob("journal-*.jsonl")))
