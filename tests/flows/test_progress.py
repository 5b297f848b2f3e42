"""How much longer a run takes, as it is told while it goes on."""

import pytest

from flows.terminal.progress import SETTLED_S, Tally, time_left


def test_no_time_is_told_before_the_pace_says_anything() -> None:
    """The first answers were taken for the pace of the night: "about 21826 s left"."""
    tally = Tally(4000)
    tally.outcomes["passed"] = 1
    tally.started -= SETTLED_S - 1
    assert str(tally).endswith("$0.0000")
    tally.started -= 56
    assert str(tally).endswith(" min left")


@pytest.mark.parametrize(("seconds", "told"), [(59, "less than a minute"), (61, "about 1 min"), (1790, "about 30 min")])
def test_the_time_left_is_told_in_minutes(seconds: float, told: str) -> None:
    assert time_left(seconds) == told
