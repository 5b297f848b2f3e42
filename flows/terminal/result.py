"""A finished run as a terminal shows it."""

import shlex
from collections.abc import Iterator

from flows.result import RunResult, Told
from flows.terminal.cells import cells_table, shown_flips, shown_gates, shown_reasons
from flows.terminal.figures import plain, usd
from flows.terminal.judges import corrected_rates
from flows.terminal.lifespans import retirement_table
from tasks.records import Comparison, Verdict

CAUSE_BEGINS = 60
"""Characters of a cause by which its cell is found in a message, which shows its flips and may cut the cause."""


SHOWN_USD = 0.00005
"""What is less rounds to nothing."""


def shown_result(result: RunResult) -> str:
    """A whole run: a line per cell, what flipped, gates, and what the figures rest on."""
    if result.status == "interrupted":
        return (
            f"{result.run_id} was interrupted after {result.calls} calls; their answers are kept, nothing was judged.\n"
            f"It goes on with: {shlex.join(['daybreak', 'nightly', '--resume', result.run_id, *result.options])}"
        )
    cells, message = result.comparisons, result.told.message
    parts = [cells_table(result), *shown_reasons([one for one in cells if not is_told(one, message)])]
    parts += shown_flips([one for one in cells if not is_told(one, message, beginning=CAUSE_BEGINS)], result.flips)
    parts += [*shown_gates(result.gates), *retirement_table([one for one in result.lifespans if one.retires_on])]
    return "\n".join([*parts, *closing(result)])


def is_told(comparison: Comparison, message: str | None, *, beginning: int | None = None) -> bool:
    """True where a message that is printed below says why a cell regressed, or begins to.

    Of several cells that were not measured for one reason it names some, so each of them has its own line here.
    """
    is_bad = comparison.verdict is Verdict.REGRESSED
    return is_bad and bool(comparison.cause) and comparison.cause[:beginning] in (message or "")


def closing(result: RunResult) -> Iterator[str]:
    """What the figures rest on, what they cost, and where to read on."""
    yield from (f"Noticed: {plain(event.text)}." for event in result.events)
    yield from (plain(note) for note in (*corrected_rates(result.corrections), *result.notes, *result.uncalibrated))
    yield f"{result.run_id}: {result.calls} calls, {cost_line(result)}."
    if result.report:
        yield f"Report: {result.report}"
    yield from shown_told(result.told)
    if result.simulated:
        yield f"Simulated, not a real model: {', '.join(result.simulated)}. Their figures say nothing of any provider."


def shown_told(told: Told) -> Iterator[str]:
    """What is for Slack and has not gone there, with why."""
    if told.message:
        yield f"\nFor Slack ({told.why_printed}):\n{told.message}\n"
    yield from (f"Not delivered: {plain(one)}" for one in told.undelivered)


def cost_line(result: RunResult) -> str:
    """What a run cost, and what for."""
    parts = [f"{what} {usd(cost)}" for what, cost in result.costs.items() if cost is None or cost >= SHOWN_USD]
    return f"{' · '.join(parts)} = {usd(result.cost_usd)}" if len(parts) > 1 else usd(result.cost_usd)
