"""What a run says of each suite, model and judge: what is wrong, what is well again, and what is gone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tasks.config import IncidentKind


class Key(NamedTuple):
    """What can go wrong by itself: one kind of thing, of one suite on one model, of a model or judge, or of neither."""

    kind: IncidentKind
    suite: str | None
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """Something that is wrong.

    `level` says how bad it is in the kind's own unit, `at_least` how bad it is for sure. `cause` is what it has in
    common with others, where that is known. `past`: it is news, but over already.
    """

    key: Key
    headline: str
    line: str
    level: float = 0
    at_least: float | None = None
    cause: str = ""
    past: bool = False


def nothing_is_gone(_: Key) -> str | None:
    """What a run says that looks at a part only."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a run found; `well` tells in words what was looked at and is in order.

    `gone` gives the reason why something will not be looked at any more. What is neither wrong, well nor gone was not
    looked at, or could not be decided: it stays as it is.
    """

    wrong: tuple[Symptom, ...] = ()
    well: Mapping[Key, str]
    gone: Callable[[Key], str | None] = nothing_is_gone
