"""A panel's majority, as a table of votes."""

import pytest

from tasks.records import Finding
from tasks.scoring.panel import is_settled, majority

PASS, FAIL, MUTE = Finding(True, "fine", 0.9), Finding(False, "wrong", 0.2), Finding(None, "the judge refused")


@pytest.mark.parametrize(
    ("votes", "passed_and_value"),
    [
        ((PASS, PASS, FAIL), (True, pytest.approx(2 / 3))),
        ((FAIL, FAIL, PASS), (False, pytest.approx(1 / 3))),
        ((PASS, PASS, PASS), (True, 1)),
        ((PASS, FAIL), (None, None)),
        ((PASS, FAIL, MUTE), (None, None)),
        ((PASS, MUTE, MUTE), (True, 1)),
        ((MUTE, MUTE), (None, None)),
        ((PASS,), (True, 0.9)),
    ],
)
def test_the_majority_of_those_that_could_say_counts(
    votes: tuple[Finding, ...], passed_and_value: tuple[bool | None, float | None]
) -> None:
    found = majority(dict(zip("abc", votes, strict=False)))
    assert (found.passed, found.value) == passed_and_value
    assert votes[0].reason in found.reason


def test_a_panel_is_settled_once_the_others_cannot_change_it() -> None:
    assert is_settled({"a": PASS, "b": PASS, "c": None})
    assert not is_settled({"a": PASS, "b": FAIL, "c": None})
    assert not is_settled({"a": PASS, "b": None})
    assert is_settled({"a": PASS, "b": FAIL})
