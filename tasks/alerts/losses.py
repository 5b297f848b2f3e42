"""What a cell that got worse has lost: its comparison, and some of the cases."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from tasks.alerts.inert import side_by_side
from tasks.alerts.symptoms import Key
from tasks.config import IncidentKind
from tasks.records import Comparison, Flip, Verdict

CASES_SHOWN = 3
EXCERPT_UNITS = 400
"""An output as it is kept to be told; messages may show less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostCase:
    """A case that passed before and fails now; outputs are None where they must not be shown or there was none."""

    case_id: str
    before: str | None = None
    now: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A cell that got worse, with some of the cases it lost and how many they are altogether."""

    comparison: Comparison
    cases: tuple[LostCase, ...]
    n_lost: int


def losses_of(comparisons: Iterable[Comparison], flips: Iterable[Flip], *, with_excerpts: bool) -> Mapping[Key, Loss]:
    """What each cell that got worse has lost."""
    lost: dict[tuple[str, str], list[Flip]] = {}
    for flip in flips:
        if flip.direction == "lost":
            lost.setdefault((flip.suite, flip.model), []).append(flip)
    return {
        Key(IncidentKind.REGRESSION, one.suite, one.model): loss_of(
            one, lost.get((one.suite, one.model), []), with_excerpts=with_excerpts
        )
        for one in comparisons
        if one.verdict is Verdict.REGRESSED
    }


def loss_of(comparison: Comparison, flips: list[Flip], *, with_excerpts: bool) -> Loss:
    """What one cell has lost."""
    shown = tuple(lost_case(flip, with_excerpt=with_excerpts) for flip in islice(flips, CASES_SHOWN))
    return Loss(comparison=comparison, cases=shown, n_lost=len(flips))


def lost_case(flip: Flip, *, with_excerpt: bool) -> LostCase:
    """Take from a flip what will be shown of it, and no more."""
    if not with_excerpt:
        return LostCase(case_id=flip.case_id)
    cut = side_by_side(flip.baseline_output or "", flip.output or "", limit=EXCERPT_UNITS)
    return LostCase(
        case_id=flip.case_id,
        before=None if flip.baseline_output is None else cut.before,
        now=None if flip.output is None else cut.after,
    )
