"""Collect what is wrong with suites and cases; a mistake that a thousand lines share is told five times."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tasks.documents.wording import shown
from tasks.errors import Problem, UsageError

TOLD = 5


class Shared(NamedTuple):
    """What is wrong in one place, the first case in which it shows, and how many do."""

    message: str
    first: str
    cases: int

    def problem(self, where: str) -> Problem:
        """As it is told."""
        shows = f"in {self.cases} cases, the first is {self.first}" if self.cases > 1 else f"in the case {self.first}"
        return Problem(where, self.message, shows)


class Problems:
    """Every mistake found so far. Those of one kind in one file are counted after the fifth.

    `unreadable` counts sources of cases that could not be read, or not to their end.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], list[Problem]] = {}
        self._count: Counter[tuple[str, str]] = Counter()
        self._shared: dict[tuple[str, str], Shared] = {}
        self.unreadable = 0

    def __len__(self) -> int:
        return self._count.total() + len(self._shared)

    def add(self, where: str | Path, message: str, hint: str = "", *, kind: str | None = None) -> None:
        """Note a mistake. `where` is `file` or `file:line`, `kind` what makes it like others (default: the message)."""
        where = shown(where) if isinstance(where, Path) else where
        key = (where.partition(":")[0], kind or message)
        self._count[key] += 1
        told = self._told.setdefault(key, [])
        if len(told) < TOLD:
            told.append(Problem(where, message, hint))

    def add_of_case(self, where: str, message: str, case: str, *, kind: str) -> None:
        """Note a mistake that stands in one place and shows in several cases; `case` is where one of those stands."""
        first = self._shared.get((where, kind), Shared(message, case, 0))
        self._shared[where, kind] = first._replace(cases=first.cases + 1)

    def add_unreadable(self, problems: Iterable[Problem]) -> None:
        """Note why cases could not be read, so that what follows from their absence is not told as well."""
        self.unreadable += 1
        self.take(problems)

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
        return problems + [shared.problem(where) for (where, _), shared in self._shared.items()]

    def raise_any(self) -> None:
        """Raise UsageError if anything is wrong."""
        if len(self):
            raise UsageError(self.listed())
