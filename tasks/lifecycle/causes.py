"""What differs between two sides of a comparison, and what that says of the cause: rules over stored cells."""

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from tasks.lifecycle.versions import disclosed
from tasks.records import Cell

CHARS_OF_HASH = 8

UNEXPLAINED = "the provider changed behind the same version, or noise that passed the test"


class Factor(StrEnum):
    """What a comparison's two sides can differ in."""

    SERVED_MODEL = "served model"
    PARAMETERS = "parameters"
    PROMPT = "prompt template"
    DATASET = "dataset"
    SCORERS = "scorers"
    JUDGE = "judge"
    LITELLM = "litellm version"
    ENDPOINT = "provider endpoint"


class Difference(NamedTuple):
    """One factor that is not the same on both sides."""

    factor: Factor
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.factor} ({self.before} → {self.now})"


def differences(base: Cell, cell: Cell) -> tuple[Difference, ...]:
    """Compare what is recorded of both sides; what either side does not know is no difference."""
    return tuple(difference for factor in Factor for difference in compared(factor, base, cell))


def compared(factor: Factor, base: Cell, cell: Cell) -> Iterator[Difference]:
    """The difference in one factor, if there is one."""
    before, now = shown(factor, base), shown(factor, cell)
    if before is None or now is None or before == now:
        return
    if factor is Factor.PARAMETERS:
        before, now = map(in_words, changed_params(before, now))
    yield Difference(factor, before, now)


def shown(factor: Factor, cell: Cell) -> str | None:
    """A factor of one side, equal texts for what is the same; None where it is not known."""
    match factor:
        case Factor.SERVED_MODEL:
            return served(cell)
        case Factor.PARAMETERS:
            return cell.params
        case Factor.PROMPT:
            return cell.prompt_hash[:CHARS_OF_HASH]
        case Factor.DATASET:
            return cell.dataset_hash[:CHARS_OF_HASH]
        case Factor.SCORERS:
            return cell.scorers_hash[:CHARS_OF_HASH]
        case Factor.JUDGE:
            return ", ".join(cell.judges) if cell.judges is not None else None
        case Factor.LITELLM:
            return cell.litellm_version
        case Factor.ENDPOINT:
            return cell.endpoint


class ChangedParams(NamedTuple):
    """Parameters that are not the same, by name: as JSON before and now; null where one was not sent."""

    before: Mapping[str, str]
    now: Mapping[str, str]


def changed_params(before: str, now: str) -> ChangedParams:
    """Compare parameters given as JSON objects."""
    old, new = json.loads(before), json.loads(now)
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return ChangedParams(*({name: json.dumps(side.get(name)) for name in names} for side in (old, new)))


def in_words(params: Mapping[str, str]) -> str:
    """Parameters as a person writes them."""
    return ", ".join(f"{name}={value}" for name, value in params.items())


def served(cell: Cell) -> str | None:
    """The versions that answered, or what was asked for where the provider does not disclose them."""
    if cell.model_id is None:
        return None
    known = sorted(filter(None, (disclosed(cell.model_id, version) for version in cell.served_models)))
    return " and ".join(known) or f"{cell.model_id}, version not disclosed"


def cause_of(found: Sequence[Difference], *, alike: Sequence[Factor], base: Cell, cell: Cell, p_value: float) -> str:
    """Say what made a cell better or worse.

    `alike` are factors that were brought to the same state on both sides before they were compared, so that they
    cannot be the cause.
    """
    possible = [one for one in found if one.factor not in alike]
    match possible:
        case []:
            return f"{UNEXPLAINED}: {evidence(base, cell, p_value)}{on_both(found)}"
        case [one]:
            return f"{one}{on_both([other for other in found if other is not one])}"
        case _:
            return f"one of {len(possible)}: {', '.join(map(str, possible))}"


def changes_of(found: Sequence[Difference]) -> str:
    """Say what differs where nothing has to be explained."""
    return f"changed since the baseline: {', '.join(map(str, found))}" if found else ""


def on_both(neutral: Sequence[Difference]) -> str:
    """Say what changed and cannot be the cause."""
    return f"; changed, but the same on both sides here: {', '.join(one.factor for one in neutral)}" if neutral else ""


def evidence(base: Cell, cell: Cell, p_value: float) -> str:
    """What is known where nothing differs."""
    prints = [" and ".join(side.fingerprints) or "none" for side in (base, cell)]
    same = f"fingerprint {prints[0]} on both sides" if prints[0] == prints[1] else f"fingerprint {' → '.join(prints)}"
    return f"served as {served(cell)}, {same}, p = {p_value:.2g}"
