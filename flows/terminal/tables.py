"""Tables and lines that a command prints; whatever a model or a file wrote is shown with control characters escaped."""

import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from os.path import commonprefix

from flows.result import RunResult
from tasks.records import Cell, Comparison, Flip, GateResult, Interval, Lifespan
from tasks.storage.reads import Version

MARKS = {"regressed": "✗", "improved": "✓", "unchanged": "=", "pinned": "⚑", "inconclusive": "?", "unmeasured": "!"}
SHOWN_FLIPS = 3
EXCERPT = 100
KEPT_BEFORE = 30


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[str] = ()) -> str:
    """Rows under a heading, as wide as the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    to_the_right = set(right)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(column, justify="right" if column in to_the_right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(plain(value)) for value in row))
    width = max(100, shutil.get_terminal_size((160, 24)).columns)
    out = io.StringIO()
    Console(file=out, width=width).print(drawn)
    return "\n".join(line.rstrip() for line in out.getvalue().strip("\n").splitlines())


def plain(value: object) -> str:
    """Text that cannot steer a terminal: control and direction characters are spelled out."""
    text = "–" if value is None else str(value)
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text)


def excerpt(value: str | None, limit: int = EXCERPT) -> str:
    """The beginning of an output on one line."""
    text = " ".join((value or "").split())
    return plain(text if len(text) <= limit else text[: limit - 1] + "…")


def side_by_side(before: str | None, now: str | None) -> tuple[str, str]:
    """Two outputs from shortly before they part, on one line each."""
    texts = [" ".join((text or "").split()) for text in (before, now)]
    common = len(commonprefix(texts))  # noqa: RUF071 (texts are meant, not paths)
    start = max(0, common - KEPT_BEFORE) if max(map(len, texts)) > EXCERPT else 0
    first, second = (("…" if start else "") + text[start:] for text in texts)
    return excerpt(first), excerpt(second)


def share(value: float | None) -> str:
    """A share as percent."""
    return "–" if value is None else f"{100 * value:.1f} %"


def interval(low: float | None, high: float | None, scale: float = 1) -> str:
    """Both ends, with signs."""
    return "" if low is None or high is None else f"{scale * low:+.1f} to {scale * high:+.1f}"


def usd(value: float | None) -> str:
    """Dollars, with the digits that small sums need."""
    return "unknown" if value is None else f"${value:.4f}" if value < 1 else f"${value:,.2f}"


def shown_result(result: RunResult) -> str:
    """A whole run: a line per cell, what flipped, gates, and what the figures rest on."""
    if result.status == "interrupted":
        return (
            f"{result.run_id} was interrupted after {result.calls} calls; their answers are kept, nothing was judged."
        )
    parts = [cells_table(result), *shown_flips(result), *shown_gates(result.gates), *shown_ends(result.lifespans)]
    parts += [f"Noticed: {plain(event.text)}." for event in result.events]
    parts += [plain(note) for note in (*corrected_rates(result), *result.notes, *result.uncalibrated)]
    parts.append(f"{result.run_id}: {result.calls} calls, {usd(result.cost_usd)}.")
    parts += [f"Report: {result.report}"] if result.report else []
    if result.told.message:
        parts.append(f"\nFor Slack (no channel and token are set, or it was not delivered):\n{result.told.message}")
    parts += [f"Not delivered: {plain(one)}" for one in result.told.undelivered]
    if result.simulated:
        parts.append(
            f"Simulated, not a real model: {', '.join(result.simulated)}. Their figures say nothing of any provider."
        )
    return "\n".join(parts)


def corrected_rates(result: RunResult) -> Iterator[str]:
    """A line for each cell whose pass rate could be corrected for its judge's errors."""
    for one in result.corrections:
        if one.pass_rate is not None and one.ci_low is not None and one.ci_high is not None:
            panel = "" if one.unanimous is None else f" The panel agreed on {100 * one.unanimous:.0f} %."
            youden = "" if one.youden is None else f", J {one.youden:.2f}"
            yield (
                f"{one.suite} on {one.model}: {share(one.raw_pass_rate)} as judged, {share(one.pass_rate)} "
                f"({100 * one.ci_low:.0f}–{100 * one.ci_high:.0f}) corrected for the judge's errors ({one.method}, "
                f"{one.n_labels} labels{youden}; {one.why}).{panel}"
            )


def shown_ends(lifespans: Sequence[Lifespan]) -> list[str]:
    """The retirement table."""
    if not lifespans:
        return []
    rows = [
        [one.model, one.when, one.risk, one.source, ", ".join(one.suites + one.judged_suites), one.replacement or "–"]
        for one in lifespans
    ]
    shown = [table(["model", "retirement", "risk", "source", "suites at risk", "replacement"], rows)]
    return shown + [f"  {plain(one.model)}: {plain(line)}" for one in lifespans for line in one.advice]


def shown_versions(versions: Sequence[Version]) -> str:
    """The versions that models were served as."""
    if not versions:
        return "No version was served yet."
    rows = [
        [one.model, one.served_model, one.system_fingerprint, f"{one.first_seen:%Y-%m-%d}", f"{one.last_seen:%Y-%m-%d}"]
        for one in versions
    ]
    return table(["model", "served as", "fingerprint", "first seen", "last seen"], rows)


def cells_table(result: RunResult) -> str:
    """A line per cell with its verdict."""
    compared = {(comparison.suite, comparison.model): comparison for comparison in result.comparisons}
    columns = [
        "",
        "suite",
        "model",
        "verdict",
        "pass rate",
        "95 %",
        "baseline",
        "drop pp",
        "95 % pp",
        "p",
        "n",
        "p95 ms",
        "cost",
    ]
    rows = [cell_row(cell, compared.get((cell.suite, cell.model))) for cell in result.cells]
    body = table(columns, rows, right={"pass rate", "baseline", "drop pp", "p", "n", "p95 ms", "cost"})
    reasons = [
        line
        for c in result.comparisons
        if c.cause
        for line in (f"  {MARKS[c.verdict]} {plain(c.suite)} on {plain(c.model)}: {plain(c.cause)}", *told_apart(c))
    ]
    return "\n".join([body, *reasons])


def told_apart(comparison: Comparison) -> list[str]:
    """How to find out which of several differences counts."""
    return [f"      to tell apart, {plain(command)}" for command in comparison.commands]


def cell_row(cell: Cell, comparison: Comparison | None) -> list[object]:
    """The columns of one cell."""
    model = f"{cell.model} (simulated)" if cell.simulated else cell.model
    rate = Interval(cell.ci_low, cell.ci_high) if cell.ci_low is not None and cell.ci_high is not None else None
    measured: list[object] = [share(cell.pass_rate), f"{100 * rate.low:.0f}–{100 * rate.high:.0f}" if rate else ""]
    costs: list[object] = ["–" if cell.p95_ms is None else f"{cell.p95_ms:.0f}", usd(cell.cost_usd)]
    if comparison is None:
        return ["", cell.suite, model, "reference", *measured, "", "", "", "", cell.n_measured, *costs]
    c = comparison
    against = "" if c.baseline_pass_rate is None else share(c.baseline_pass_rate)
    drop = "" if c.drop_pp is None else f"{c.drop_pp:+.1f}"
    p_value = "" if c.p_value is None else f"{c.p_value:.2g}"
    spread = interval(c.ci_low_pp, c.ci_high_pp)
    n = f"{c.n_paired}/{c.n_cases}" if c.baseline_run_id else f"{cell.n_measured}/{cell.n_cases}"
    return [MARKS[c.verdict], cell.suite, model, c.verdict, *measured, against, drop, spread, p_value, n, *costs]


def shown_flips(result: RunResult) -> list[str]:
    """Up to three lost cases of each cell that moved, with both outputs."""
    lines: list[str] = []
    for comparison in result.comparisons:
        if comparison.verdict in {"regressed", "improved"}:
            flips = [f for f in result.flips if (f.suite, f.model) == (comparison.suite, comparison.model)]
            wanted = "lost" if comparison.verdict == "regressed" else "gained"
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


def milliseconds(value: float | None) -> str:
    """A latency."""
    return "–" if value is None else f"{value:.0f} ms"
