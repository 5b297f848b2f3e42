"""What a message says of each thing that happened: plain words, every foreign text inert and bounded."""

from collections.abc import Callable, Sequence
from datetime import date

from tasks.alerts.inert import inert, shorten, side_by_side
from tasks.alerts.losses import LostCase
from tasks.records import Cell, Comparison, GateResult, Lifespan

NAME_UNITS, CASE_UNITS, REASON_UNITS, ADVICE_UNITS = 48, 40, 240, 320

GATE_VALUES: dict[str, Callable[[float], str]] = {
    "min_pass_rate": lambda share: f"{share:.1%}",
    "min_coverage": lambda share: f"{share:.1%}",
    "max_drop_pp": lambda drop_pp: f"{drop_pp:.1f} points",
    "p95_ms": lambda duration_ms: f"{duration_ms:.0f} ms",
    "max_cost_per_action_usd": lambda cost_usd: f"${cost_usd:.4g}",
}


def name(text: str, limit: int = NAME_UNITS) -> str:
    """A name as it is shown."""
    return shorten(inert(text), limit)


def cell_name(suite: str, model: str, limit: int = NAME_UNITS) -> str:
    """A suite on a model."""
    return f"{name(suite, limit)} on {name(model, limit)}"


def counted(number: int, one: str, many: str) -> str:
    """A number of things."""
    return f"{number} {one if number == 1 else many}"


def day(moment: date) -> str:
    """A day as it is written out."""
    return f"{moment.day} {moment:%B %Y}"


def simulated_note(models: Sequence[str]) -> str:
    """Say that some answers are made up."""
    shown = listed([name(model) for model in models], 5, "model", "models")
    return f"This is a rehearsal for {shown}: their answers are simulated, no provider was asked."


def drop_line(one: Comparison) -> str:
    """How much worse, how sure, of how many cases."""
    sure = [] if one.ci_low_pp is None else [f"95% interval {one.ci_low_pp:.1f} to {one.ci_high_pp:.1f}"]
    sure.append(f"{one.n_paired} of {one.n_cases} cases paired")
    sure += [f"{one.trials} trials each"] if one.trials > 1 else []
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


def lost_line(cases: Sequence[LostCase], n_lost: int) -> str:
    """The lost cases by their ids alone."""
    ids = [name(case.case_id, CASE_UNITS) for case in cases]
    more = n_lost - len(ids)
    return f"Lost: {', '.join(ids)}{f' and {more} more' if more else ''}" if ids else ""


def recovery_line(one: Comparison) -> str:
    """A cell that is not worse than its baseline any more."""
    against = "" if one.baseline_pass_rate is None else f", baseline {percent(one.baseline_pass_rate)}"
    return f"{one.verdict}: {percent(one.pass_rate)} tonight{against}"


def measured_line(cell: Cell) -> str:
    """A cell that could be measured."""
    return f"{cell.n_measured} of {cell.n_cases} cases were measured"


def gate_line(gate: GateResult) -> str:
    """A gate: what was measured, and the limit."""
    value = GATE_VALUES.get(gate.gate, "{:g}".format)
    measured = "could not be measured" if gate.value is None else f"is {value(gate.value)}"
    if gate.ci_low is not None and gate.ci_high is not None:
        measured += f" (95% interval {value(gate.ci_low)} to {value(gate.ci_high)})"
    return f"{name(gate.gate)} {measured}, limit {value(gate.limit_value)}"


def retirement_line(row: Lifespan) -> str:
    """A model that goes away: when, who says so, and what depends on it."""
    parts = [row.when[:1].upper() + row.when[1:], f"Source: {reason(row.source)}"]
    for label, suites in (("Suites at risk", row.suites), ("Judged suites at risk", row.judged_suites)):
        if suites:
            parts.append(f"{label}: {listed([name(suite) for suite in suites], 3, 'suite', 'suites')}")
    if row.replacement and not row.advice:
        parts.append(f"Replacement: {name(row.replacement)}")
    parts += [shorten(inert(line), ADVICE_UNITS).removesuffix(".") for line in row.advice]
    return ". ".join(parts)


def listed(names: Sequence[str], limit: int, one: str, many: str) -> str:
    """Some names, and how many more there are."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {counted(more, f'more {one}', f'more {many}')}" if more > 0 else "")


def reason(text: str) -> str:
    """A cause or reason as it is shown."""
    return shorten(inert(text), REASON_UNITS)


def points(drop_pp: float | None) -> str:
    """A drop in percentage points."""
    return "an unknown share" if drop_pp is None else f"{drop_pp:.1f} points"


def percent(share: float | None) -> str:
    """A share."""
    return "unknown" if share is None else f"{share:.1%}"
