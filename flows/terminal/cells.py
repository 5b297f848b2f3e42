"""The cells of a run in a terminal: a line for each, why its verdict is what it is, what flipped, which gates fail."""

from collections.abc import Sequence

from flows.result import RunResult
from flows.terminal.figures import (
    UNKNOWN,
    milliseconds,
    plain,
    points,
    points_interval,
    share,
    shares,
    side_by_side,
    usd,
)
from flows.terminal.tables import table
from tasks.records import Cell, Comparison, Flip, GateResult, Verdict
from tasks.reports.cells import rate_of

SHOWN_FLIPS = 3
COLUMNS = (
    "", "suite", "model", "verdict", "pass rate", "95 %", "baseline", "drop pp", "95 % pp", "p", "detectable pp",
    "lost/gained", "flip rate", "cases", "trials", "p95 ms", "cost",
)  # fmt: skip
OPTIONAL = (
    "flip rate", "lost/gained", "95 %", "p95 ms", "p", "trials", "cost", "detectable pp", "cases", "95 % pp",
    "baseline",
)  # fmt: skip
"""The first of these goes first where a terminal is narrow."""


def cells_table(result: RunResult) -> str:
    """A line per cell with its verdict."""
    compared = {(comparison.suite, comparison.model): comparison for comparison in result.comparisons}
    rows = [cell_row(cell, compared.get((cell.suite, cell.model))) for cell in result.cells]
    return table(COLUMNS, rows, right=set(COLUMNS[4:]), optional=OPTIONAL)


def cell_row(cell: Cell, comparison: Comparison | None) -> list[object]:
    """The columns of one cell; rates, drop and trials are of the comparison where there is one."""
    rate, c = rate_of(cell, comparison), comparison
    is_paired = c is not None and c.baseline_run_id is not None
    return [
        c.verdict.mark if c else "",
        cell.suite,
        f"{cell.model} (simulated)" if cell.simulated else cell.model,
        c.verdict if c else "reference",
        share(rate.value),
        shares(rate.low, rate.high),
        share(c.baseline_pass_rate) if c and c.baseline_pass_rate is not None else "",
        points(c.drop_pp) if c else "",
        points_interval(c.ci_low_pp, c.ci_high_pp) if c else "",
        "" if c is None or c.p_value is None else f"{c.p_value:.2g}",
        "" if c is None or c.detectable_drop_pp is None else f"{c.detectable_drop_pp:.1f}",
        "" if c is None or c.lost is None else f"{c.lost}/{c.gained}",
        "" if cell.flip_rate is None else share(cell.flip_rate),
        f"{c.n_paired}/{c.n_cases}" if c and is_paired else f"{cell.n_measured}/{cell.n_cases}",
        rate.trials,
        UNKNOWN if cell.p95_ms is None else f"{cell.p95_ms:.0f}",
        usd(cell.cost_usd),
    ]


def shown_reasons(comparisons: Sequence[Comparison]) -> list[str]:
    """Why each verdict is what it is."""
    return [
        line
        for c in comparisons
        if c.cause
        for line in (f"  {c.verdict.mark} {plain(c.suite)} on {plain(c.model)}: {plain(c.cause)}", *told_apart(c))
    ]


def told_apart(comparison: Comparison) -> list[str]:
    """How to find out which of several differences counts, where a cell moved."""
    is_moved = comparison.verdict in {Verdict.REGRESSED, Verdict.IMPROVED}
    return [f"      to tell apart, {plain(command)}" for command in comparison.commands if is_moved]


def shown_flips(comparisons: Sequence[Comparison], of_run: Sequence[Flip]) -> list[str]:
    """Up to three lost cases of each cell that moved, with both outputs."""
    lines: list[str] = []
    for comparison in comparisons:
        if comparison.verdict in {Verdict.REGRESSED, Verdict.IMPROVED}:
            flips = [f for f in of_run if (f.suite, f.model) == (comparison.suite, comparison.model)]
            wanted = "lost" if comparison.verdict is Verdict.REGRESSED else "gained"
            lines += cell_flips(comparison, [f for f in flips if f.direction == wanted], len(flips))
    return lines


def cell_flips(comparison: Comparison, flips: Sequence[Flip], total: int) -> list[str]:
    """Some flips of one cell, both outputs under each other."""
    if not flips:
        return []
    head = (
        f"\n{plain(comparison.suite)} on {plain(comparison.model)}: {len(flips)} {flips[0].direction}, "
        f"{total - len(flips)} the other way; for example"
    )
    lines = [head]
    for flip in flips[:SHOWN_FLIPS]:
        before, now = side_by_side(flip.baseline_output, flip.output)
        lines.append(f"  {plain(flip.case_id)}  was: {before}")
        lines.append(f"  {' ' * len(plain(flip.case_id))}  now: {now}")
    return lines


def shown_gates(gates: Sequence[GateResult]) -> list[str]:
    """The gates that do not hold, or could not be decided, each in its unit."""
    return [gate_line(gate) for gate in gates if gate.state != "ok"]


def gate_line(gate: GateResult) -> str:
    """One gate with what was measured and its limit."""
    shown = {"p95_ms": milliseconds, "max_cost_per_action_usd": usd}.get(gate.gate, share)
    side = "at least" if gate.gate.startswith("min_") else "at most"
    spread = (
        "" if gate.ci_low is None or gate.ci_high is None else f" (95 %: {shown(gate.ci_low)} to {shown(gate.ci_high)})"
    )
    where = f"{gate.gate} of {plain(gate.suite)} on {plain(gate.model)}"
    return f"  {where}: {gate.state}: {shown(gate.value)}{spread} against {side} {shown(gate.limit_value)}"
