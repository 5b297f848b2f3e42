"""Where no judge is needed: labels that a scorer compares for nothing, and without ever erring."""

import json
from collections.abc import Iterable
from typing import Any

FEWEST_CASES = 5
MOST_LABELS = 20
LONGEST_LABEL = 40
CASES_PER_LABEL = 3


def scorer_that_would_do(expected: Iterable[Any]) -> str | None:
    """The scorer that compares such labels, if one does: numbers, JSON, or one of a few words."""
    labels = list(expected)
    if len(labels) < FEWEST_CASES:
        return None
    if all(is_number(label) for label in labels):
        return "numeric"
    if all(is_structure(label) for label in labels):
        return "json_schema"
    words = {label for label in labels if isinstance(label, str) and 0 < len(label.strip()) <= LONGEST_LABEL}
    is_closed = all(isinstance(label, str) and label in words for label in labels)
    return "one_of" if is_closed and len(words) <= min(MOST_LABELS, len(labels) / CASES_PER_LABEL) else None


def is_number(label: object) -> bool:
    """True for a number, also one that is written as text."""
    if isinstance(label, str):
        try:
            float(label.replace(",", "").strip())
        except ValueError:
            return False
        return True
    return isinstance(label, int | float) and not isinstance(label, bool)


def is_structure(label: object) -> bool:
    """True for a JSON object or list, also one that is written as text."""
    if isinstance(label, str) and label.lstrip()[:1] in {"{", "["}:
        try:
            label = json.loads(label)
        except ValueError:
            return False
    return isinstance(label, dict | list)
