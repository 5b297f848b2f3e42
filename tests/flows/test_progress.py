"""What is told of a run while it goes on: how much longer it takes, and what it cost so far."""

from collections import Counter

import pytest

from flows.news import News
from flows.terminal.progress import SETTLED_S, Tally, time_left
from tasks.records import OutcomeState

PASSED = Counter[OutcomeState](["passed"])


def test_no_time_is_told_before_the_pace_says_anything() -> None:
    """The first answers were taken for the pace of the night: "about 21826 s left"."""
    tally = Tally(4000)
    tally.add(News(PASSED, 0.0))
    tally.started -= SETTLED_S - 1
    assert str(tally).endswith("$0.0000")
    tally.started -= 56
    assert str(tally).endswith(" min left")


def test_no_cost_is_told_where_the_price_of_any_answer_is_unknown() -> None:
    """It used to be $0.0000."""
    tally = Tally(3)
    for cost_usd in (0.25, None, 0.25):
        tally.add(News(PASSED, cost_usd))
    assert str(tally) == "3/3 trials, 3 passed, 0 failed"


@pytest.mark.parametrize(("seconds", "told"), [(59, "less than a minute"), (61, "about 1 min"), (1790, "about 30 min")])
def test_the_time_left_is_told_in_minutes(seconds: float, told: str) -> None:
    assert time_left(seconds) == told
