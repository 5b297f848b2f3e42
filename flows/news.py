"""What is told of a run while it goes on."""

from collections import Counter
from typing import NamedTuple

from tasks.calls.journal import Trial
from tasks.records import OutcomeState

CellName = tuple[str, str]
"""Suite and model."""


class News(NamedTuple):
    """Trials that were finished, by their outcome, and what was spent."""

    outcomes: Counter[OutcomeState]
    cost_usd: float

    def __add__(self, other: "News") -> "News":  # type: ignore[override]  # joined, not appended to
        return News(self.outcomes + other.outcomes, self.cost_usd + other.cost_usd)


NONE = News(Counter(), 0.0)


def news_of(trial: Trial) -> News:
    """What a line of the journal brings; one with an answer alone brings nothing but cost."""
    outcomes = Counter[OutcomeState]([trial.outcome.outcome] if trial.outcome else [])
    return News(outcomes, sum(call.cost_usd or 0 for call in trial.calls))
