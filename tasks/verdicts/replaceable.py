"""Whether another model may take a model's place: not worse than the gate's margin, on the trials that are stored."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from tasks.config import Gate
from tasks.records import Interval
from tasks.verdicts.compare import why_unmeasured
from tasks.verdicts.evidence import Evidence, Sides, Slice
from tasks.verdicts.statistics import ALPHA, drop_interval, variance_of_losses


class Replaceable(NamedTuple):
    """How another model does on a model's cases; a positive drop is a loss, by all trials that each case had.

    `holds` says that a loss of the gate's `max_drop_pp` is excluded at 95 %, one-sided, over all candidates together
    (Bonferroni); `loses` names the slices on which a loss is shown at 95 % over all slices and candidates.
    """

    n_paired: int
    drop_pp: float
    interval: Interval
    holds: bool
    loses: tuple[str, ...]


def replaceable(evidence: Evidence, gate: Gate, *, candidates: int) -> Replaceable | None:
    """Judge one of so many candidates; None where too little of both sides was measured on the same cases."""
    if why_unmeasured(evidence.paired, gate):
        return None
    sides = evidence.sides(None, evidence.had_by(None))
    drop_pp, interval = float(sides.drop_pp), drop_interval(*sides)
    spread_pp = 100 * sqrt(variance_of_losses(*sides)) / len(sides.passed)
    bound_pp = drop_pp + NormalDist().inv_cdf(1 - ALPHA / candidates) * spread_pp
    level = ALPHA / candidates / max(1, len(evidence.slices))
    return Replaceable(
        n_paired=len(sides.passed),
        drop_pp=drop_pp,
        interval=interval,
        holds=bound_pp < gate.max_drop_pp,
        loses=tuple(one.name for one in evidence.slices if sides_of(one, evidence).tails.lower <= level),
    )


def sides_of(one: Slice, evidence: Evidence) -> Sides:
    """Both sides of a slice, by all trials that its cases had."""
    return evidence.sides(one.members, evidence.had_by(one.members))
