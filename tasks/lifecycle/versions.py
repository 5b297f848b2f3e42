"""Which version a model was served as, and when it became another: rules over what was seen of it in each run."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Literal, NamedTuple

from tasks.records import Sighting

FORGOTTEN_AFTER = 3
"""Runs without one version of a mixture, after which its return is news: a rare one comes and goes by chance."""

SNAPSHOT = re.compile(r"(?<![\d.])(\d{3,4}|\d{6}|\d{8}|\d{4}-\d{2}-\d{2})(?![\dA-Za-z])")
"""What tells a fixed version from an alias: a date or a number, as in gpt-4-0613 or claude-3-haiku-20240307."""


class Move(NamedTuple):
    """A model was served as something else than before; "mixed" where several versions answered in one run."""

    kind: Literal["version_moved", "versions_mixed"]
    model: str
    run_id: str
    before: tuple[str, ...]
    now: tuple[str, ...]
    text: str


class VersionState(NamedTuple):
    """What is known of a model's version: the ones it was last served as, since when; none where it is hidden."""

    model: str
    versions: tuple[str, ...]
    since: datetime | None

    def __str__(self) -> str:
        if self.since is None:
            return "version not disclosed"
        mixed = " mixed" if len(self.versions) > 1 else ""
        return f"{' and '.join(self.versions)}{mixed} since {self.since:%Y-%m-%d}"


def disclosed(requested_model: str, served_model: str | None) -> str | None:
    """The version that an answer names, or None: an alias that only echoes what was asked for tells nothing."""
    if not served_model:
        return None
    asked = requested_model.partition("/")[2] or requested_model
    echoes = served_model in {asked, asked.rpartition("/")[2], requested_model}
    return None if echoes and not SNAPSHOT.search(served_model) else served_model


def moves(sightings: Iterable[Sighting]) -> tuple[Move, ...]:
    """Every move in the history of some models; the first run that disclosed a version is where it starts from."""
    return tuple(move for history in histories(sightings) for move in follow(history).moves)


def states(sightings: Iterable[Sighting]) -> tuple[VersionState, ...]:
    """What each model is served as now, by name; of one whose id changed in the config, by its latest id."""
    latest = sorted(histories(sightings), key=lambda history: history[-1].last_seen)
    found = {history[-1].model: follow(history).state for history in latest}
    return tuple(found[model] for model in sorted(found))


def histories(sightings: Iterable[Sighting]) -> Iterator[list[Sighting]]:
    """The history of each model: another model id in the config is no move of the provider's, and starts anew."""
    ordered = sorted(sightings, key=lambda one: (one.model, one.requested_model, one.first_seen, one.run_id))
    for _, history in groupby(ordered, key=lambda one: (one.model, one.requested_model)):
        yield list(history)


class Followed(NamedTuple):
    """What became of one model."""

    moves: Sequence[Move]
    state: VersionState


def follow(history: Sequence[Sighting]) -> Followed:
    """Go through the runs of one model.

    A version is news when it is none of those that are known. Those are the ones of the run that brought the last
    news; of a mixture, one that stayed away for some runs is forgotten.
    """
    found: list[Move] = []
    known: tuple[str, ...] = ()
    since: datetime | None = None
    absent = Counter[str]()
    for run in runs_of(history):
        if set(run.versions) - set(known):
            if known:
                found.append(move_of(run, known))
            known, since, absent = run.versions, run.first_seen, Counter()
        absent.update(set(known) - set(run.versions) if run.versions else ())
        for version in run.versions:
            absent[version] = 0
        known = tuple(version for version in known if absent[version] < FORGOTTEN_AFTER)
    return Followed(found, VersionState(history[-1].model, known, since))


class RunOfModel(NamedTuple):
    """What one run saw of a model; versions with the most frequent first."""

    model: str
    run_id: str
    first_seen: datetime
    versions: tuple[str, ...]
    calls: Counter[str]


def runs_of(history: Iterable[Sighting]) -> list[RunOfModel]:
    """The runs of one model in the order in which they began."""
    runs: dict[str, list[Sighting]] = {}
    for one in history:
        runs.setdefault(one.run_id, []).append(one)
    return [run_of(seen) for seen in runs.values()]


def run_of(seen: Sequence[Sighting]) -> RunOfModel:
    """Sum up what one run saw."""
    calls = Counter[str]()
    for one in seen:
        if version := disclosed(one.requested_model, one.served_model):
            calls[version] += one.calls
    versions = tuple(version for version, _ in calls.most_common())
    return RunOfModel(seen[0].model, seen[0].run_id, seen[0].first_seen, versions, calls)


def move_of(run: RunOfModel, known: tuple[str, ...]) -> Move:
    """Say what a run showed."""
    before = " and ".join(known)
    if len(run.versions) == 1:
        text = f"{run.model} moved from {before} to {run.versions[0]}"
        return Move("version_moved", run.model, run.run_id, known, run.versions, text)
    shares = " and ".join(f"{version} ({run.calls[version]} of {run.calls.total()})" for version in run.versions)
    text = f"{run.model} was served as a mixture of {shares}; before, {before}"
    return Move("versions_mixed", run.model, run.run_id, known, run.versions, text)
