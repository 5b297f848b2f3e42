"""What can go wrong, as types; the command line turns each into an exit code.

DaybreakError
├── UsageError      exit 2  config, suite or command line is wrong; holds every problem found, nothing was called
└── RunBroken       exit 4  the run itself broke (full disk, damaged file, a bug); what finished is kept
    └── WarehouseBusy       another process held the warehouse longer than we wait

A failed call, an unscored case or an unmeasured cell is data (see `tasks.records`), never an exception.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a person wrote wrong: where it stands, what was expected, what came, what to do."""

    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class DaybreakError(Exception):
    """Anything that Daybreak says in its own words instead of a traceback."""


class UsageError(DaybreakError):
    """Wrong usage, config or suite: every problem at once, found before the first call."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def single(cls, message: str, *, where: str | Path = "", hint: str = "") -> "UsageError":
        """Make an error of one problem."""
        return cls([Problem(str(where), message, hint)])


class RunBroken(DaybreakError):
    """The run cannot go on; what finished is on disk."""


class WarehouseBusy(RunBroken):
    """Another process held the warehouse file for longer than we were willing to wait."""
