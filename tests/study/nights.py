"""Play a night: draw the trials, ask the rule, draw what it asks for, until it has decided."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tasks.config import Gate
from tasks.verdicts.compare import Paired
from tasks.verdicts.decide import Decided, MoreTrials, decide
from tasks.verdicts.drift import NO_DRIFT, Drift
from tasks.verdicts.evidence import Evidence, Slice
from tasks.verdicts.permutation import Counts
from tests.study.suites import Rates

GATE = Gate()


class Night(NamedTuple):
    """What was decided, and the calls per case that it took (baseline excluded)."""

    decided: Decided
    calls_per_case: float


class Trials(NamedTuple):
    """Passes and trials per case."""

    passed: Counts
    measured: Counts

    def plus(self, other: "Trials") -> "Trials":
        return Trials(self.passed + other.passed, self.measured + other.measured)


def draw(generator: np.random.Generator, rates: Rates, trials: int) -> Trials:
    """Ask every case so often."""
    return Trials(generator.binomial(trials, rates), np.full(len(rates), trials))


def play(
    generator: np.random.Generator,
    baseline: Trials,
    tonight: Rates,
    *,
    slices: Sequence[Slice] = (),
    gate: Gate = GATE,
    drift: Drift = NO_DRIFT,
    planned: Trials | None = None,
) -> Night:
    """Play one night against a baseline."""
    n_cases = len(tonight)
    planned = planned or draw(generator, tonight, 1)
    paired = Paired(range(n_cases), *baseline, *planned, n_cases, n_cases)  # type: ignore[arg-type]
    none = np.full((n_cases, gate.max_confirm_trials), -1, dtype=np.int8)
    evidence = Evidence(paired, tuple(slices), none, np.zeros(n_cases, dtype=np.int64))
    while isinstance(answer := decide(evidence, gate, drift=drift), MoreTrials):
        evidence = asked_again(generator, evidence, tonight, answer)
    return Night(answer, 1 + float(evidence.asked.mean()))


def asked_again(generator: np.random.Generator, evidence: Evidence, tonight: Rates, more: MoreTrials) -> Evidence:
    """Draw the trials that the rule wants; those that were drawn stay."""
    cases = np.arange(len(tonight)) if more.case_ids is None else np.array(more.case_ids, dtype=np.intp)
    fresh, asked = evidence.fresh.copy(), evidence.asked.copy()
    drawn = (generator.random((len(cases), more.up_to_trials)) < tonight[cases, None]).astype(np.int8)
    new = np.arange(more.up_to_trials) >= asked[cases, None]
    fresh[cases, : more.up_to_trials] = np.where(new, drawn, fresh[cases, : more.up_to_trials])
    asked[cases] = np.maximum(asked[cases], more.up_to_trials)
    return replace(evidence, fresh=fresh, asked=asked)
