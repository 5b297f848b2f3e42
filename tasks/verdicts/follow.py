"""Follow one suspicion: that some cases, or all of them, got worse together."""

from fractions import Fraction
from typing import Literal, NamedTuple

from tasks.config import Gate
from tasks.verdicts.detectable import noise_of
from tasks.verdicts.drift import Drift, inflated
from tasks.verdicts.evidence import Evidence, Members, Sides
from tasks.verdicts.looks import Rule, rule_of_cell, rule_of_slice
from tasks.verdicts.permutation import Tails

MEAN = "mean"
FORCED_TRIALS = 3
"""Fresh trials that a forced confirmation has at least."""

State = Literal["cleared", "undecided", "open", "alarm"]


class Region(NamedTuple):
    """A hypothesis: these cases got worse together. `members` is None for all of the cell."""

    name: str
    members: Members | None
    rule: Rule

    def is_strict(self, gate: Gate) -> bool:
        """Whether the estimate alone decides."""
        return self.members is None and gate.policy == "strict"


class Followed(NamedTuple):
    """Where a hypothesis stands after so many fresh trials; an open one wants to have `wants` of them."""

    region: Region
    state: State
    fresh: int = 0
    wants: int = 0


class Reading(NamedTuple):
    """What one look says of a loss, with day shifts: its p-value, and mid-p for the screen."""

    sides: Sides
    tails: Tails
    p: float
    mid_p: float

    @property
    def drop_pp(self) -> Fraction:
        """The estimate, exact."""
        return self.sides.drop_pp

    def alarms(self, threshold: float, limit_pp: Fraction) -> bool:
        """Both must speak: the test, and the estimate."""
        return self.p <= threshold and self.drop_pp > limit_pp


def regions_of(evidence: Evidence, gate: Gate) -> list[Region]:
    """The cell as a whole, and its slices."""
    whole = Region(MEAN, None, rule_of_cell(gate))
    if not evidence.slices:
        return [whole]
    members = sum(len(part.members) for part in evidence.slices)
    per_case = members / len(evidence.paired.case_ids)
    rule = rule_of_slice(gate, len(evidence.slices), slices_per_case=per_case)
    return [whole, *(Region(part.name, part.members, rule) for part in evidence.slices)]


def follow(region: Region, evidence: Evidence, gate: Gate, drift: Drift, *, forced: bool, may_ask: bool) -> Followed:
    """Say where a hypothesis stands, from the looks that were reached.

    The trials of a look are the planned ones and the first fresh ones of every case, whatever else was asked: what
    another hypothesis made the night ask does not enter.
    """
    night, *looks = region.rule.looks
    limit, strict = Fraction(str(gate.max_drop_pp)), region.is_strict(gate)
    if not (forced or strict) and evidence.sides(region.members, 0).shows_no_loss:
        return Followed(region, "cleared")
    reading = read(region, evidence, drift, 0)
    suspected = reading.drop_pp > limit if strict else reading.mid_p <= region.rule.suspicion
    if not (suspected or forced):
        return Followed(region, "cleared")
    asked, fresh = evidence.had_by(region.members), 0
    for look in looks:
        if asked < look.fresh:
            if not (suspected or may_ask) and fresh < FORCED_TRIALS:
                return Followed(region, "cleared", fresh)
            certain = fresh == 0 and not may_ask and reading.alarms(night.threshold, limit)
            return Followed(region, "alarm" if certain else "open", fresh, look.fresh)
        reading, fresh = read(region, evidence, drift, look.fresh), look.fresh
        if reading.alarms(look.threshold, limit):
            return Followed(region, "alarm", fresh)
        if not (forced and fresh < FORCED_TRIALS) and is_hopeless(reading, region.rule, limit, strict=strict):
            return Followed(region, "cleared", fresh)
    return Followed(region, "alarm" if strict else "undecided", fresh)


def read(region: Region, evidence: Evidence, drift: Drift, fresh: int) -> Reading:
    """Take one look at some cases."""
    sides = evidence.sides(region.members, fresh)
    tails, inflation = sides.tails, inflation_of(sides, drift)
    return Reading(sides, tails, inflated(tails.lower, inflation), inflated(tails.lower_mid, inflation))


def inflation_of(sides: Sides, drift: Drift) -> float:
    """What day shifts add to the variance of a drop, from the baseline's noise: fixed before the night."""
    if drift.variance == 0 or not len(sides.passed):
        return 1.0
    noise = noise_of(sides.base_passed, sides.base_measured)
    return drift.inflation(noise, float(sides.base_measured.mean()), float(sides.measured.mean()))


def is_hopeless(reading: Reading, rule: Rule, limit_pp: Fraction, *, strict: bool) -> bool:
    """Whether further trials would not change the answer."""
    if strict:
        return reading.drop_pp <= limit_pp
    return reading.p > rule.stop or reading.drop_pp <= limit_pp / 2
