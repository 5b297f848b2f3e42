"""How the error of a night is spent: when a suspicion is looked at, and what p-value is believed at each look.

Every look is a valid test by itself, whether or not it is reached, so the errors of all looks add up to a bound on the
error of the whole procedure (Bonferroni's inequality); screening and stopping early can only take alerts away. The
spending in steps follows Slud & Wei (1982), JASA 77:862: little at first, most at the last look.
"""

from typing import NamedTuple

from tasks.config import Gate

CELL_ERROR = 1e-3
"""The largest chance of a false alert of an unchanged cell in a night, slices included."""

MEAN_SHARE = 0.8
"""Of the error, what the cell as a whole may use; its slices divide the rest (Bonferroni).

A single case that always passed and now fails nine times of nine has p = 1/2002: the last look must believe that.
"""

EARLY_LOOKS = ((0, 0.01), (1, 0.06), (3, 0.18))
"""Fresh trials per case, and the share of the error spent there; the last look has the rest.

The night's own trial alone alarms only where fresh trials cannot be had.
"""

SUSPICION = 0.10
"""A cell whose planned trials have a lower p (mid-p: not conservative) is asked again."""

STOP = 0.05
"""A suspicion with a higher p at a look is dropped."""

SLICE_SUSPICION = 0.04
"""As SUSPICION, for all slices that a case is in together: what limits the trials they cost."""

SLICE_STOP = 0.02
"""As STOP, for a slice."""

GAIN_ERROR = 2.5e-4
"""The p-value of a gain, which costs no trials and is read once, after one of at most four looks."""


NAMED_ERROR = 1e-3
"""The p-value, divided by the slices, at which one is named as moved beside a verdict."""


class Look(NamedTuple):
    """A test after `fresh` further trials per case, which alarms at or below `threshold`."""

    fresh: int
    threshold: float


class Rule(NamedTuple):
    """How one hypothesis is followed: `looks` begin with the planned trials alone."""

    looks: tuple[Look, ...]
    suspicion: float
    stop: float


def looks_of(gate: Gate, error: float) -> tuple[Look, ...]:
    """The looks that a gate's `max_confirm_trials` allows, spending `error` in all."""
    last = gate.max_confirm_trials
    early = [Look(fresh, share * error) for fresh, share in EARLY_LOOKS if fresh < last]
    return (*early, Look(last, error - sum(look.threshold for look in early)))


def rule_of_cell(gate: Gate) -> Rule:
    """The rule for the cell as a whole."""
    return Rule(looks_of(gate, MEAN_SHARE * CELL_ERROR), SUSPICION, STOP)


def rule_of_slice(gate: Gate, n_slices: int, *, slices_per_case: float) -> Rule:
    """The rule for each of a cell's slices; `slices_per_case` is the mean number of slices that a case is in."""
    error = (1 - MEAN_SHARE) * CELL_ERROR / n_slices
    return Rule(looks_of(gate, error), SLICE_SUSPICION / max(1.0, slices_per_case), SLICE_STOP)
