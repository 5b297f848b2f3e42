"""The rule of a night: suspect, ask again, decide. `README.md` beside this file writes it down with its references."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from tasks.config import Gate
from tasks.records import Verdict
from tasks.verdicts.compare import Judged, Judgement, Paired, why_undecided, why_unmeasured
from tasks.verdicts.detectable import detectable_pp, noise_of
from tasks.verdicts.drift import NO_DRIFT, Drift
from tasks.verdicts.evidence import Evidence, Sides
from tasks.verdicts.flips import flips
from tasks.verdicts.follow import MEAN, Followed, follow, regions_of
from tasks.verdicts.looks import GAIN_ERROR, NAMED_ERROR
from tasks.verdicts.permutation import Tails
from tasks.verdicts.statistics import ALPHA, drop_interval, variance_of_losses

Z_BOUND = NormalDist().inv_cdf(0.95)
"""One-sided 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreTrials:
    """Ask these cases (None: all) until each has `up_to_trials` fresh trials, then decide again."""

    case_ids: tuple[str, ...] | None
    up_to_trials: int


class Movement(NamedTuple):
    """A slice that moved beyond noise; rates are shares."""

    name: str
    n_cases: int
    base_rate: float
    rate: float
    p_value: float

    def __str__(self) -> str:
        return f"{self.name} {100 * self.base_rate:.1f} → {100 * self.rate:.1f} %"


class Whole(NamedTuple):
    """A cell with all trials that every case had; rates are exact shares."""

    sides: Sides
    tails: Tails
    base_rate: Fraction
    rate: Fraction
    detectable_pp: float

    @property
    def drop_pp(self) -> Fraction:
        return 100 * (self.base_rate - self.rate)

    @property
    def knows_noise(self) -> bool:
        """Whether the baseline has tried any case twice."""
        return bool((self.sides.base_measured > 1).any())

    @property
    def highest_drop_pp(self) -> float:
        """The one-sided 95 % bound on the drop on these cases, from how the trials of each case varied."""
        spread = sqrt(variance_of_losses(*self.sides)) / len(self.sides.passed)
        return float(self.drop_pp) + 100 * Z_BOUND * spread


class Churn(NamedTuple):
    """Cases whose majority of trials changed each way, whatever the mean did."""

    lost: int = 0
    gained: int = 0


NO_CHURN = Churn()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Judged):
    """A verdict with its evidence. After an alarm the drop tends to be overstated: it was picked for being large.

    `p_value` is two-sided, of the planned trials and the `fresh_trials` that every case had after them. `alarms` names
    what raised it: "mean", or slices. `night_sd_pp` is what day shifts are known to move the pass rate by.
    """

    moved: tuple[Movement, ...] = ()
    churn: Churn = NO_CHURN
    fresh_trials: int = 0
    alarms: tuple[str, ...] = ()
    night_sd_pp: float = 0.0


def decide(
    evidence: Evidence, gate: Gate, *, drift: Drift = NO_DRIFT, forced: bool = False, may_ask: bool = True
) -> Decided | MoreTrials:
    """Judge the trials so far, or say which trials would tell.

    `forced` asks for three fresh trials even where nothing is suspected, as when the served version moved. `may_ask` is
    false once no further trial can be had; what is still suspected then stays undecided.
    """
    if reason := why_unmeasured(evidence.paired, gate):
        return Decided(verdict=Verdict.UNMEASURED, cause=reason, n_paired=evidence.paired.n_paired)
    followed = [
        follow(region, evidence, gate, drift, forced=forced and region.name == MEAN, may_ask=may_ask)
        for region in regions_of(evidence, gate)
    ]
    if may_ask and not any(one.state == "alarm" for one in followed) and (more := trials_wanted(followed, evidence)):
        return more
    return conclude(followed, evidence, gate, drift)


def trials_wanted(followed: Sequence[Followed], evidence: Evidence) -> MoreTrials | None:
    """The next trials: of all cases where the whole is suspected, else of the suspected slices that want fewest."""
    whole, *slices = followed
    if whole.state == "open":
        return MoreTrials(case_ids=None, up_to_trials=whole.wants)
    wanting = [one for one in slices if one.state == "open"]
    if not wanting:
        return None
    fewest = min(one.wants for one in wanting)
    members = [one.region.members for one in wanting if one.wants == fewest and one.region.members is not None]
    chosen = np.unique(np.concatenate(members)).tolist()
    return MoreTrials(case_ids=tuple(evidence.paired.case_ids[index] for index in chosen), up_to_trials=fewest)


def conclude(followed: Sequence[Followed], evidence: Evidence, gate: Gate, drift: Drift) -> Decided:
    """Put the verdict together with its evidence: all trials that every case had."""
    fresh = evidence.had_by(None)
    paired, sides = evidence.after(fresh), evidence.sides(None, fresh)
    whole = Whole(
        sides,
        sides.tails,
        sides.base_rate,
        sides.rate,
        detectable_pp(sides.base_passed, sides.base_measured, gate, trials=evidence.paired.trials, drift=drift),
    )
    alarms = tuple(one.region.name for one in followed if one.state == "alarm")
    moved = tuple(movements(followed[1:], evidence)) if alarms else ()
    verdict, cause = (
        judge_alarm(followed, gate, moved)
        or judge_open(followed)
        or judge_hidden(paired, gate)
        or judge_gain(whole, gate)
        or judge_rest(whole, gate)
    )
    return Decided(
        verdict=verdict,
        cause=cause,
        n_paired=paired.n_paired,
        drop_pp=float(whole.drop_pp),
        interval=drop_interval(*sides),
        p_value=whole.tails.two_sided,
        detectable_drop_pp=whole.detectable_pp,
        baseline_pass_rate=float(whole.base_rate),
        pass_rate=float(whole.rate),
        moved=moved,
        churn=churn_of(paired),
        fresh_trials=fresh,
        alarms=alarms,
        night_sd_pp=drift.sd_pp(noise_of(sides.base_passed, sides.base_measured), len(sides.passed)),
    )


def churn_of(paired: Paired) -> Churn:
    """Count the flips each way."""
    directions = [direction for _, direction in flips(paired)]
    return Churn(directions.count("lost"), directions.count("gained"))


def movements(slices: Sequence[Followed], evidence: Evidence) -> list[Movement]:
    """The slices that moved either way, by all the trials that their cases had; named beside an alarm."""
    moved = []
    for one in slices:
        sides = evidence.sides(one.region.members, evidence.had_by(one.region.members))
        if not len(sides.passed):
            continue
        p = min(sides.tails.lower, sides.tails.upper)
        if p <= NAMED_ERROR / len(slices) or one.state == "alarm":
            moved.append(Movement(one.region.name, len(sides.passed), float(sides.base_rate), float(sides.rate), p))
    return moved


def judge_alarm(followed: Sequence[Followed], gate: Gate, moved: Sequence[Movement]) -> Judgement | None:
    """A regression, of the whole or of slices."""
    alarms = [one for one in followed if one.state == "alarm"]
    if not alarms:
        return None
    first = alarms[0]
    what = "" if first.region.name == MEAN else f"{', '.join(one.region.name for one in alarms)}: "
    how = "by the estimate alone" if first.region.is_strict(gate) else "beyond run-to-run noise"
    trials = (
        f"; {first.fresh} fresh trial{'s' * (first.fresh > 1)} of each case confirmed it"
        if first.fresh
        else "; no fresh trials could be had"
    )
    named = f"; {', '.join(map(str, moved))}" if moved else ""
    return Judgement(Verdict.REGRESSED, f"{what}more than {gate.max_drop_pp:g} pp worse, {how}{trials}{named}")


def judge_open(followed: Sequence[Followed]) -> Judgement | None:
    """A suspicion that could not be followed to its end."""
    for one in followed:
        if one.state == "open":
            cause = f"a drop of the {one.region.name} was suspected, and fresh trials to tell could not be had"
            return Judgement(Verdict.INCONCLUSIVE, cause)
        if one.state == "undecided" and one.region.name != MEAN:
            return Judgement(Verdict.INCONCLUSIVE, f"a drop of {one.region.name} stayed undecided after every trial")
    return None


def judge_hidden(paired: Paired, gate: Gate) -> Judgement | None:
    """Trials that were not measured and might hide a regression."""
    reason = why_undecided(paired, gate)
    return Judgement(Verdict.INCONCLUSIVE, reason) if reason else None


def judge_gain(whole: Whole, gate: Gate) -> Judgement | None:
    """An improvement. It is read from what was asked anyway: no trial is paid to confirm good news."""
    if whole.tails.upper <= GAIN_ERROR and -whole.drop_pp > Fraction(str(gate.max_drop_pp)):
        return Judgement(Verdict.IMPROVED, f"more than {gate.max_drop_pp:g} pp better, beyond run-to-run noise")
    return None


def judge_rest(whole: Whole, gate: Gate) -> Judgement:
    """Unchanged only where a drop that matters, and that can be found at all, is excluded."""
    found, most = whole.detectable_pp, gate.max_detectable_drop_pp
    if found > most:
        why = "" if whole.knows_noise else "; one trial of a case does not tell how much it varies, so much is assumed"
        return Judgement(
            Verdict.INCONCLUSIVE, f"only a drop of {found:.1f} pp would be found; the gate asks for {most:g} pp{why}"
        )
    margin = max(gate.max_drop_pp, found)
    if whole.highest_drop_pp >= margin:
        gained = f"{-float(whole.drop_pp):.1f} pp better, perhaps by chance: a drop of {margin:.1f} pp is not excluded"
        lost = f"a drop of {margin:.1f} pp can neither be shown nor excluded"
        return Judgement(Verdict.INCONCLUSIVE, gained if whole.drop_pp < 0 else lost)
    if whole.tails.lower < ALPHA / 2:
        return Judgement(Verdict.UNCHANGED, f"a small loss perhaps, below {margin:.1f} pp")
    return Judgement(Verdict.UNCHANGED, "no difference beyond run-to-run noise")
