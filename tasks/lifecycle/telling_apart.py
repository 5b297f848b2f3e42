"""The commands that tell apart which of several differences made a cell better or worse."""

import shlex
from collections.abc import Iterator, Sequence

from tasks.lifecycle.causes import Difference, Factor, changed_params
from tasks.records import Cell


def commands(
    found: Sequence[Difference], base: Cell, cell: Cell, *, candidate: Sequence[str] = (), options: Sequence[str] = ()
) -> Iterator[str]:
    """For each difference: how to ask tonight's cell with that one thing as it was.

    `candidate` are the options that asked for the cell, where its name does not; `options` end every command.
    """
    for one in found:
        if back := options_for(one, base, cell):
            asked = without(candidate, back[0]) or ["--candidate", cell.model]
            compare = ["daybreak", "compare", "--suite", cell.suite, *asked, *back, *options]
            yield f"{one.factor}: {shlex.join(compare)}"
        else:
            yield f"{one.factor}: put it back to {one.before} and run the night again"


def without(candidate: Sequence[str], option: str) -> list[str]:
    """The options of a candidate without one that is given anew; parameters stay, for the last one counts."""
    pairs = zip(candidate[::2], candidate[1::2], strict=True)
    return [word for name, value in pairs if name != option or name == "--param" for word in (name, value)]


def options_for(one: Difference, base: Cell, cell: Cell) -> list[str]:
    """The options of `compare` that bring one factor back; none where no option can."""
    match one.factor:
        case Factor.SERVED_MODEL:
            return ["--baseline", snapshot(base)]
        case Factor.PARAMETERS:
            return [word for text in params_back(base, cell) for word in ("--param", text)]
        case Factor.PROMPT:
            return ["--prompt", base.run_id]
        case Factor.ENDPOINT:
            return ["--api-base", base.endpoint] if base.endpoint else []
        case _:
            return []


def snapshot(base: Cell) -> str:
    """The version that answered then as a model of its own; where that is not known, what it answered then."""
    provider = (base.model_id or "").partition("/")[0]
    return f"{provider}/{base.served_models[0]}" if len(base.served_models) == 1 and provider else base.run_id


def params_back(base: Cell, cell: Cell) -> list[str]:
    """NAME=VALUE for each parameter that was another."""
    before = changed_params(base.params or "{}", cell.params or "{}").before
    return [f"{name}={value}" for name, value in before.items()]
