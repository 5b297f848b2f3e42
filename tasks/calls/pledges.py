"""What judging an answer may cost: reserved together with the answer, so that none is bought that nobody can judge."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.calls.budget import Purse

BYTES_PER_TOKEN = 4
"""Of an answer. A judge that has to read a longer one asks for more once it is there."""


class Pledge:
    """What the judges of one answer may need, each question by its purse in USD: wanted, then set aside, then drawn."""

    def __init__(self, wanted: "Sequence[tuple[Purse, float]]" = ()) -> None:
        self.wanted = wanted
        self.is_due = False
        self._set_aside: list[tuple[Purse, float]] = []

    def set_aside(self) -> None:
        """Note that the budget has reserved it."""
        self._set_aside = list(self.wanted)

    def draw(self, purse: "Purse", usd: float) -> float | None:
        """Take what is set aside for a judge's question; it goes back where it is too little."""
        found = next((one for one in self._set_aside if one[0] is purse), None)
        if found is None:
            return None
        self._set_aside.remove(found)
        if found[1] >= usd:
            return found[1]
        purse.give_back(found[1])
        return None

    def give_back(self) -> None:
        """Nobody needs it any more."""
        while self._set_aside:
            purse, usd = self._set_aside.pop()
            purse.give_back(usd)


PLEDGE: ContextVar[Pledge | None] = ContextVar("pledge", default=None)
"""Of the trial that this task is at."""


@contextmanager
def drawing() -> Iterator[None]:
    """While an answer is judged its judges draw from what was set aside; what they leave goes back."""
    pledge = PLEDGE.get() or Pledge()
    pledge.is_due = True
    try:
        yield
    finally:
        pledge.give_back()
