"""What a message says of each thing that happened: plain words, every foreign text inert and bounded."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tasks.alerts.digest import Digest, LostCase, Regression, Unmeasured
from tasks.alerts.inert import escaped, inert, shorten, side_by_side, units
from tasks.records import Comparison, Event, GateResult, Lifespan

HEADLINE_UNITS = 100
"""What a phone shows without cutting; Slack's own limit for a header is 150."""

NAME_UNITS, HEADLINE_NAME_UNITS, CASE_UNITS, REASON_UNITS = 48, 24, 40, 160

VALUES: dict[str, Callable[[float], str]] = {
    "min_pass_rate": lambda share: f"{share:.1%}",
    "min_coverage": lambda share: f"{share:.1%}",
    "max_drop_pp": lambda drop_pp: f"{drop_pp:.1f} points",
    "p95_ms": lambda duration_ms: f"{duration_ms:.0f} ms",
    "max_cost_per_action_usd": lambda cost_usd: f"${cost_usd:.4g}",
}


class HeadlinePart(NamedTuple):
    """One kind of thing, by the name of the only one there is, and counted."""

    named: str
    plain: str


def name(text: str, limit: int = NAME_UNITS) -> str:
    """A name as it is shown."""
    return shorten(inert(text), limit)


def cell_name(suite: str, model: str, limit: int = NAME_UNITS) -> str:
    """A suite on a model."""
    return f"{name(suite, limit)} on {name(model, limit)}"


def counted(number: int, one: str, many: str) -> str:
    """A number of things."""
    return f"{number} {one if number == 1 else many}"


def headline(digest: Digest) -> str:
    """The night in one line, worst first: the worst by its name, where it is one thing and there is room."""
    prefix = "Rehearsal: " if digest.models <= set(digest.simulated) else ""
    first, *others = headline_parts(digest)
    named, plain = (prefix + ", ".join([part, *(other.plain for other in others)]) for part in first)
    return named if units(escaped(named)) <= HEADLINE_UNITS else plain


def headline_parts(digest: Digest) -> Iterator[HeadlinePart]:
    """Say each kind of thing that happened."""
    kinds: tuple[tuple[Sequence[Any], Callable[[Any], str], str, str], ...] = (
        (digest.regressions, regression_in_short, "cell got worse", "cells got worse"),
        (digest.gates, gate_in_short, "gate failed", "gates failed"),
        (digest.unmeasured, unmeasured_in_short, "cell unmeasured", "cells unmeasured"),
        (digest.retirements, retirement_in_short, "retirement notice", "retirement notices"),
        (digest.events, event_in_short, "change behind a model", "changes behind models"),
    )
    for things, in_short, one, many in kinds:
        if things:
            plain = counted(len(things), one, many)
            yield HeadlinePart(in_short(things[0]) if len(things) == 1 else plain, plain)


def regression_in_short(regression: Regression) -> str:
    """For the headline."""
    one = regression.comparison
    return f"{cell_name(one.suite, one.model, HEADLINE_NAME_UNITS)} lost {points(one.drop_pp)}"


def gate_in_short(gate: GateResult) -> str:
    """For the headline."""
    return f"{cell_name(gate.suite, gate.model, HEADLINE_NAME_UNITS)} failed {gate.gate}"


def unmeasured_in_short(cell: Unmeasured) -> str:
    """For the headline."""
    return f"{cell_name(cell.suite, cell.model, HEADLINE_NAME_UNITS)} unmeasured"


def retirement_in_short(row: Lifespan) -> str:
    """For the headline."""
    return f"{name(row.model, HEADLINE_NAME_UNITS)} {row.when}"


def event_in_short(event: Event) -> str:
    """For the headline."""
    return f"{name(event.model, HEADLINE_NAME_UNITS)}: {event.kind.replace('_', ' ')}"


def event_line(event: Event) -> str:
    """What was noticed of a model."""
    return reason(event.text)


def simulated_note(models: Sequence[str]) -> str:
    """Say that some answers are made up."""
    shown = listed([name(model) for model in models], 5, "models")
    return f"This is a rehearsal for {shown}: their answers are simulated, no provider was asked."


def drop_line(one: Comparison) -> str:
    """How much worse, how sure, of how many cases."""
    sure = [] if one.ci_low_pp is None else [f"95% interval {one.ci_low_pp:.1f} to {one.ci_high_pp:.1f}"]
    sure.append(f"{one.n_paired} of {one.n_cases} cases paired")
    return f"{points(one.drop_pp)} lost ({', '.join(sure)})"


def rates_line(one: Comparison) -> str:
    """From which pass rate to which."""
    of = one.baseline_model if one.baseline_model and one.baseline_model != one.model else one.baseline_run_id
    baseline = f" ({name(of)})" if of else ""
    return f"Baseline {percent(one.baseline_pass_rate)}{baseline} → tonight {percent(one.pass_rate)}"


def cause_line(one: Comparison) -> str:
    """Why, where that is known."""
    return f"Why: {reason(one.cause)}" if one.cause.strip() else ""


def case_text(case: LostCase, *, limit: int) -> str:
    """A lost case with both outputs, each on a line of its own: right-to-left text leaves the rest in place."""
    before, now = (None if output is None else inert(output) for output in (case.before, case.now))
    cut = side_by_side(before or "", now or "", limit=limit)
    return "\n".join(
        [
            f"{name(case.case_id, CASE_UNITS)}",
            f"was: {cut.before or nothing(before)}",
            f"now: {cut.after or nothing(now)}",
        ]
    )


def nothing(output: str | None) -> str:
    """What stands for an output without any text."""
    return "(no output)" if output is None else "(empty)"


def lost_line(regression: Regression) -> str:
    """The lost cases by their ids alone."""
    ids = [name(case.case_id, CASE_UNITS) for case in regression.cases]
    more = regression.n_lost - len(ids)
    return f"Lost: {', '.join(ids)}{f' and {more} more' if more else ''}" if ids else ""


def gate_line(gate: GateResult) -> str:
    """A failed gate: what was measured, and the limit."""
    value = VALUES.get(gate.gate, "{:g}".format)
    measured = "could not be measured" if gate.value is None else f"is {value(gate.value)}"
    if gate.ci_low is not None and gate.ci_high is not None:
        measured += f" (95% interval {value(gate.ci_low)} to {value(gate.ci_high)})"
    return f"{cell_name(gate.suite, gate.model)}: {gate.gate} {measured}, limit {value(gate.limit_value)}"


def unmeasured_line(cell: Unmeasured) -> str:
    """A cell that could not be measured, and why."""
    return f"{cell_name(cell.suite, cell.model)}: {reason(cell.reason) or 'no reason known'}"


def retirement_line(row: Lifespan) -> str:
    """A model that goes away: when, who says so, and what depends on it."""
    parts = [f"{name(row.model)} {row.when}", f"Source: {reason(row.source)}"]
    for label, suites in (("Suites at risk", row.suites), ("Judged suites at risk", row.judged_suites)):
        if suites:
            parts.append(f"{label}: {listed([name(suite) for suite in suites], 3, 'suites')}")
    if row.replacement:
        parts.append(f"Replacement: {name(row.replacement)}")
    return ". ".join(parts)


def listed(names: Sequence[str], limit: int, things: str) -> str:
    """Some names, and how many more there are."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more {things}" if more > 0 else "")


def reason(text: str) -> str:
    """A cause or reason as it is shown."""
    return shorten(inert(text), REASON_UNITS)


def points(drop_pp: float | None) -> str:
    """A drop in percentage points."""
    return "an unknown share" if drop_pp is None else f"{drop_pp:.1f} points"


def percent(share: float | None) -> str:
    """A share."""
    return "unknown" if share is None else f"{share:.1%}"
