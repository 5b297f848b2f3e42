"""Collect what is wrong with suites and cases; a mistake that a thousand lines share is told five times."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tasks.documents.wording import shown
from tasks.errors import Problem, UsageError

TOLD = 5


class Problems:
    """Every mistake found so far. Those of one kind in one file are counted after the fifth."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], list[Problem]] = {}
        self._count: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return self._count.total()

    def add(self, where: str | Path, message: str, hint: str = "", *, kind: str | None = None) -> None:
        """Note a mistake. `where` is `file` or `file:line`, `kind` what makes it like others (default: the message)."""
        where = shown(where) if isinstance(where, Path) else where
        key = (where.partition(":")[0], kind or message)
        self._count[key] += 1
        told = self._told.setdefault(key, [])
        if len(told) < TOLD:
            told.append(Problem(where, message, hint))

    def take(self, problems: Iterable[Problem]) -> None:
        """Note mistakes that others found."""
        for problem in problems:
            self.add(problem.where, problem.message, problem.hint)

    def listed(self) -> list[Problem]:
        """Those to be told, with the number of the others."""
        problems: list[Problem] = []
        for key, told in self._told.items():
            more = self._count[key] - len(told)
            problems += told
            if more:
                problems.append(Problem(key[0], f"and {more} more like this"))
        return problems

    def raise_any(self) -> None:
        """Raise UsageError if anything is wrong."""
        if self._count:
            raise UsageError(self.listed())
