"""`regex`."""

import time
from typing import Any

import pytest

from tests.scoring.scored import find

SEARCHED = [
    ("found anywhere", r"\d{4}-\d{2}", "since 2026-11", None, True),
    ("not found", r"^\d+$", "about 5", None, False),
    ("flags stand in the pattern", r"(?i)^yes\b", "YES, it is", None, True),
    ("over lines", r"(?m)^total: 5$", "net: 4\ntotal: 5\n", None, True),
    ("the expected text", r"\b{{ expected }}\b", "Total 12.50 EUR", "12.50", True),
    ("the expected text is no pattern", r"\b{{ expected }}\b", "Total 12x50 EUR", "12.50", False),
    ("a field of what is expected", r"total:\s*{{ expected.total }}", "total: 7", {"total": 7}, True),
    ("a field with the name of a method", r"{{ expected.items }} items", "3 items", {"items": 3}, True),
    ("a pattern as label", r"^(?:{{ expected | pattern }})$", "colour", "colou?r", True),
    ("each of a list", r"{% for one in expected %}(?=.*{{ one }}){% endfor %}", "b, then a", ["a", "b"], True),
    ("the case's other fields", r"{{ kind }}: {{ tags[0] }}", "accuracy: t1", None, True),
]


@pytest.mark.parametrize(
    ("pattern", "output", "expected", "passes"), [r[1:] for r in SEARCHED], ids=[r[0] for r in SEARCHED]
)
def test_regex(pattern: str, output: str, expected: Any, *, passes: bool) -> None:
    assert find({"type": "regex", "pattern": pattern}, output, expected).passed is passes


def test_what_was_found_is_told() -> None:
    assert find({"type": "regex", "pattern": r"\d+"}, "room 12").reason == "found '12'"


def test_a_search_that_takes_too_long_leaves_the_case_unscored() -> None:
    before = time.monotonic()
    finding = find({"type": "regex", "pattern": "(a|aa)+$"}, "a" * 60 + "!")
    assert finding.passed is None
    assert finding.reason == "the pattern took longer than 0.5 s on 61 characters"
    assert time.monotonic() - before < 10


def test_a_pattern_that_a_case_spoils_leaves_it_unscored() -> None:
    finding = find({"type": "regex", "pattern": "{{ expected | pattern }}"}, "x", "(")
    assert finding.passed is None
    assert finding.reason.startswith("the pattern cannot be used with this case: missing )")
