"""`exact` and `contains`."""

from typing import Any

import pytest

from tests.scoring.scored import find

EXACT = [
    ("equal", {}, "billing", "billing", True),
    ("white space around it is left aside", {}, " billing\n", "billing", True),
    ("white space counts when told so", {"strip": False}, "billing\n", "billing", False),
    ("case counts", {}, "Billing", "billing", False),
    ("case does not count when told so", {"ignore_case": True}, "STRASSE", "straße", True),
    ("a longer text is another text", {}, "billing.", "billing", False),
    ("nothing is not the same as something", {}, "", "billing", False),
    ("nothing can be what is expected", {}, "  ", "", True),
]


@pytest.mark.parametrize(
    ("options", "output", "expected", "passes"), [row[1:] for row in EXACT], ids=[r[0] for r in EXACT]
)
def test_exact(options: dict[str, Any], output: str, expected: str, *, passes: bool) -> None:
    finding = find({"type": "exact", **options}, output, expected)
    assert (finding.passed, finding.value) == (passes, float(passes))


def test_exact_tells_what_was_expected_and_what_came() -> None:
    assert find("exact", "how_to", "billing").reason == "expected 'billing', got 'how_to'"


def test_exact_shows_where_long_texts_part() -> None:
    start = "Thank you for your letter. The invoice was paid in full on the first of March"
    reason = find("exact", f"{start} 2026.", f"{start} 2025.").reason
    assert reason == "after 61 equal characters: expected 'e first of March 2025.', got 'e first of March 2026.'"


CONTAINS = [
    ("a text", {}, "Your refund is on its way", "refund", True, 1.0),
    ("in any case", {}, "REFUND sent", "refund", True, 1.0),
    ("case counts when told so", {"ignore_case": False}, "REFUND sent", "refund", False, 0.0),
    ("inside a word too", {}, "It is refundable", "refund", True, 1.0),
    ("all of a list", {}, "red, green and blue", ["blue", "red"], True, 1.0),
    ("one of a list is missing", {}, "red and green", ["blue", "red"], False, 0.5),
    ("one of a list is enough when told so", {"all": False}, "red and green", ["blue", "red"], True, 0.5),
    ("none of a list", {"all": False}, "black", ["blue", "red"], False, 0.0),
]


@pytest.mark.parametrize(
    ("options", "output", "expected", "passes", "share"), [row[1:] for row in CONTAINS], ids=[r[0] for r in CONTAINS]
)
def test_contains(options: dict[str, Any], output: str, expected: Any, *, passes: bool, share: float) -> None:
    finding = find({"type": "contains", **options}, output, expected)
    assert (finding.passed, finding.value) == (passes, share)


def test_contains_names_what_is_missing() -> None:
    finding = find("contains", "red and green", ["blue", "red", "black"])
    assert finding.reason == "does not contain 'blue' or 'black'; got 'red and green'"
