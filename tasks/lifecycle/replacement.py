"""Which measured model may take the place of one that retires, and what is still to be measured: rules and words."""

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple

from tasks.records import Interval, WantedComparison


class Measured(NamedTuple):
    """A candidate on one suite of the model that retires; a positive drop is a loss.

    `cost_ratio` is its cost per action over that of the model, `p95_delta_ms` its 95th percentile less the model's;
    None where either is not known. `holds` says that a loss of `margin_pp` is excluded, `loses` names slices.
    """

    suite: str
    model: str
    drop_pp: float
    interval: Interval
    holds: bool
    margin_pp: float
    loses: tuple[str, ...] = ()
    cost_ratio: float | None = None
    p95_delta_ms: float | None = None


class Advice(NamedTuple):
    """What is said of a model's replacement; `is_ready` where every suite at risk has one that holds the gate."""

    replacement: str | None
    is_ready: bool
    lines: tuple[str, ...]


def advise(suites: Sequence[str], measured: Sequence[Measured], to_measure: Sequence[WantedComparison]) -> Advice:
    """Choose the replacement for the suites at risk: those that hold the gate first, then by cost, then by latency."""
    held = {one.suite for one in measured if one.holds}
    best = min({one.model for one in measured}, key=lambda model: rank(of(model, measured), suites), default=None)
    chosen = of(best, measured) if best else []
    lines = [*(map(measured_line, [chosen]) if chosen else ()), *map(unmeasured_line, to_measure)]
    holds = bool(chosen) and all(one.holds for one in chosen)
    return Advice(best if holds else None, bool(suites) and held >= set(suites), tuple(lines))


def of(model: str, measured: Iterable[Measured]) -> list[Measured]:
    """What is measured of one candidate."""
    return [one for one in measured if one.model == model]


def rank(candidate: Sequence[Measured], suites: Sequence[str]) -> tuple[float, ...]:
    """The order of candidates, the best first; one that holds nowhere comes by how little it loses."""
    held = sum(one.holds for one in candidate)
    broken = len(candidate) - held
    loss = 0.0 if not broken else max(one.drop_pp for one in candidate)
    return bool(broken), len(suites) - held, loss, mean(one.cost_ratio for one in candidate), latency(candidate)


def mean(values: Iterable[float | None]) -> float:
    """The mean, endless where a value is unknown."""
    known = [inf if value is None else value for value in values]
    return sum(known) / len(known)


def latency(candidate: Sequence[Measured]) -> float:
    """What a candidate adds to the 95th percentile, in ms."""
    return mean(one.p95_delta_ms for one in candidate)


def measured_line(candidate: Sequence[Measured]) -> str:
    """What is known of one candidate."""
    broken = [one for one in candidate if not one.holds]
    head = "Nearest measured" if broken else "Best measured replacement"
    tail = f" A loss of {broken[0].margin_pp:g} pp is not excluded on {listed(broken)}." if broken else ""
    return f"{head}: {candidate[0].model}, {'; '.join(map(figures, candidate))}.{tail}"


def figures(one: Measured) -> str:
    """How a candidate does on one suite."""
    return ", ".join(figures_of(one)) + (f"; it loses on {', '.join(one.loses)}" if one.loses else "")


def figures_of(one: Measured) -> Iterator[str]:
    """Drop, cost and latency."""
    yield f"{one.suite} drop {signed(one.drop_pp)} pp ({signed(one.interval.low)} to {signed(one.interval.high)})"
    if one.cost_ratio is not None:
        yield f"{one.cost_ratio:.2g} × the cost per action"
    if one.p95_delta_ms is not None:
        yield f"p95 {one.p95_delta_ms:+.0f} ms".replace("-", "−")


def unmeasured_line(one: WantedComparison) -> str:
    """What has to be measured yet."""
    cost = "cost unknown" if one.cost_usd is None else f"${one.cost_usd:.2f}"
    return f"Nothing measured yet for {one.suite}: comparison with {one.candidate} planned, {cost} ({one.command})."


def signed(value: float) -> str:
    """A difference with its sign."""
    return f"{round(value, 1) + 0.0:+.1f}".replace("-", "−")


def listed(several: Iterable[Measured]) -> str:
    """The suites."""
    return ", ".join(one.suite for one in several)
