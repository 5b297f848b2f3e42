"""What is told of a run while it goes on."""

from collections import Counter
from functools import reduce
from typing import NamedTuple

from tasks.calls.journal import Trial
from tasks.records import Call, CallStatus, OutcomeState

CellName = tuple[str, str]
"""Suite and model."""


class News(NamedTuple):
    """Trials that were finished, by their outcome, and what was spent; None where the price of an answer is unknown."""

    outcomes: Counter[OutcomeState]
    cost_usd: float | None

    def __add__(self, other: "News") -> "News":  # type: ignore[override]  # joined, not appended to
        return News(self.outcomes + other.outcomes, added(self.cost_usd, other.cost_usd))


NONE = News(Counter(), 0.0)


def news_of(trial: Trial) -> News:
    """What a line of the journal brings; one with an answer alone brings nothing but cost."""
    outcomes = Counter[OutcomeState]([trial.outcome.outcome] if trial.outcome else [])
    return News(outcomes, reduce(added, map(cost_of, trial.calls), NONE.cost_usd))


def cost_of(call: Call) -> float | None:
    """What a call cost: nothing where it failed and no price is known."""
    return call.cost_usd if call.status is CallStatus.ANSWERED else call.cost_usd or 0.0


def added(cost_usd: float | None, more_usd: float | None) -> float | None:
    """The sum of two costs, where both are known."""
    return None if cost_usd is None or more_usd is None else cost_usd + more_usd
