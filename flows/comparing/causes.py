"""Say of every comparison of a run what differs between its sides, and what made a cell better or worse."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from flows.run import Run
from tasks.lifecycle.causes import Difference, Factor, cause_of, changes_of, differences
from tasks.lifecycle.telling_apart import commands
from tasks.records import Cell, Comparison, Verdict
from tasks.storage import reads

SCORED_ALIKE = (Factor.DATASET, Factor.SCORERS, Factor.JUDGE)
"""What a run brings to the same state on both sides: pairs are unchanged cases, scored by one set of scorers."""


def explained(run: Run, comparisons: Iterable[Comparison], cells: Sequence[Cell]) -> list[Comparison]:
    """The comparisons with their differences, and their cause where the verdict asks for one."""
    beside = {(cell.run_id, cell.suite, cell.model): cell for cell in cells}
    return [explain(run, comparison, beside) for comparison in comparisons]


def explain(run: Run, comparison: Comparison, beside: dict[tuple[str, str, str], Cell]) -> Comparison:
    """Explain one comparison; one that has no baseline, or none that is known, stays as it is."""
    cell, base = beside[run.id, comparison.suite, comparison.model], base_of(run, comparison, beside)
    if base is None:
        return comparison
    options = run.file.options
    return with_cause(comparison, base, cell, alike=SCORED_ALIKE, candidate=run.plan.candidate, options=options)


def with_cause(
    comparison: Comparison,
    base: Cell,
    cell: Cell,
    *,
    alike: Sequence[Factor],
    candidate: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Comparison:
    """A comparison with what differs between two cells, of which `alike` was brought to the same state on both."""
    found = differences(base, cell)
    possible = [one for one in found if one.factor not in alike]
    said = said_of(comparison, found, base, cell, alike)
    return replace(
        comparison,
        cause="; ".join(filter(None, [said, comparison.cause])),
        differences=tuple(one.factor for one in found),
        commands=tuple(commands(possible, base, cell, candidate=candidate, options=options))
        if len(possible) > 1
        else (),
    )


def base_of(run: Run, comparison: Comparison, beside: dict[tuple[str, str, str], Cell]) -> Cell | None:
    """The cell that a comparison's baseline is."""
    run_id, model = comparison.baseline_run_id, comparison.baseline_model
    if run_id is None or model is None:
        return None
    if known := beside.get((run_id, comparison.suite, model)):
        return known
    stored = {(cell.suite, cell.model): cell for cell in reads.cells_of(run.results, run_id)}
    return stored.get((comparison.suite, model))


def said_of(
    comparison: Comparison, found: Sequence[Difference], base: Cell, cell: Cell, alike: Sequence[Factor]
) -> str:
    """The cause of a change; of a cell that did not change, what is not as it was, unless another model was meant."""
    if comparison.verdict in {Verdict.REGRESSED, Verdict.IMPROVED} and comparison.p_value is not None:
        return cause_of(found, alike=alike, base=base, cell=cell, p_value=comparison.p_value)
    return changes_of(found) if base.model == cell.model else ""
