"""What a reader can type to go on."""

import shlex
from collections.abc import Iterator, Sequence

from tasks.reports.cells import CellView


def again(
    flow: str,
    views: Sequence[CellView],
    *,
    whole: bool = True,
    candidate: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Iterator[str]:
    """The commands that do the same once more; a night that was not `whole` was narrowed to its suites and models.

    `candidate` are the options that ask for a comparison's candidate, where its name does not; `options` end them all.
    """
    if flow != "compare":
        chosen = [word for suite in sorted({view.suite for view in views}) for word in ("--suite", suite)]
        chosen += [word for model in sorted({view.model for view in views}) for word in ("--model", model)]
        yield shlex.join(["daybreak", flow, *([] if whole else chosen), *options])
        return
    asked: dict[tuple[str, str | None], list[str]] = {}
    for view in views:
        if view.comparison:
            asked.setdefault((view.model, view.baseline), []).append(view.suite)
    for (model, baseline), suites in asked.items():
        against = ["--baseline", baseline] if baseline else []
        of = [word for suite in suites for word in ("--suite", suite)]
        yield shlex.join(["daybreak", "compare", *(candidate or ("--candidate", model)), *against, *of, *options])


def may_be_promoted(views: Sequence[CellView]) -> bool:
    """Whether some cell has a baseline of its own: neither a model beside it, nor what a changed one was made from."""
    return any(view.comparison is not None and view.comparison.baseline_model == view.model for view in views)


def select(what: str, view: str, *, options: Sequence[str] = (), **where: str) -> str:
    """The command that reads rows of a view from the warehouse; `options` end it."""
    conditions = " AND ".join(f"{column} = {quoted(value)}" for column, value in where.items())
    statement = f"SELECT {what} FROM {view} WHERE {conditions}"  # noqa: S608 (shown to a reader, never run)
    shell = f'"{statement}"' if not set(statement) & set('"$`\\!\n') else shlex.quote(statement)
    return " ".join(["daybreak sql", shell, *map(shlex.quote, options)])


def quoted(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"
