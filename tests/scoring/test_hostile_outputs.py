"""Outputs that are meant to break something, or that a broken model writes.

Most have a million characters: a scorer that takes the square of that would not end.
"""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.records import Answer
from tasks.scoring.build import build_scorers
from tests.scoring.scored import case_of, suite_of

SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^[A-Z]+$"}}, "required": ["a"]}
SCORERS: list[tuple[Any, Any]] = [
    ("exact", "yes"),
    ({"exact": {"ignore_case": True}}, "yes"),
    ("contains", ["yes", "no"]),
    *[({"one_of": {"labels": ["yes", "not yes"], "pick": pick}}, "yes") for pick in ("only", "first", "last")],
    ({"regex": {"pattern": r"(?i)\b{{ expected }}\b"}}, "yes"),
    *[({"numeric": {"pick": pick}}, 42) for pick in ("only", "first", "last")],
    ({"json_schema": {"schema": SCHEMA, "fields": ["a"]}}, {"a": "X"}),
    ("refusal", None),
    ({"refusal": {"want": "answer"}}, None),
]

HOSTILE = {
    "NUL": "yes\x00",
    "a lone surrogate": "\ud83d yes \udc00",
    "right-to-left marks": "\u202eyes\u202c \u200f42\u2066",
    "control characters": "\x1b[2J\x07\x08\x7f\u2028\u2029yes",
    "zero-width and tag characters": "y\u200be\u2060s\U000e0041",
    "many combining marks": "e" + "\u0301" * 5000,
    "template and format marks": "{{ expected }} {% raw %} {0} %s \\g<0> $1",
    "ten million letters": "a" * 10_000_000,
    "a million spaces": " " * 1_000_000,
    "a million digits": "9" * 1_000_000,
    "many numbers": "1 " * 200_000,
    "many labels": "yes not yes " * 90_000,
    "a million brackets": "[" * 1_000_000,
    "many open objects": '{"a":' * 200_000,
    "many fences": "```" * 300_000,
    "a long text in JSON": '{"a": "' + "X" * 900_000 + '"}',
    "a long list of objects": "[" + "{}," * 100_000 + "{}]",
    "many refusals": "i can't " * 100_000,
}


@pytest.mark.parametrize("output", HOSTILE.values(), ids=HOSTILE)
def test_no_output_breaks_or_stalls_a_scorer(output: str) -> None:
    for scorer, expected in SCORERS:
        [built] = build_scorers(suite_of(scorer))
        before = time.process_time()
        finding = built.score(Answer(output), case_of(expected))
        assert time.process_time() - before < 5, scorer
        assert "crashed" not in finding.reason
        assert len(finding.reason) < 600
        assert finding.reason.isprintable()


@given(st.text(st.characters(exclude_categories=[]), max_size=60), st.sampled_from(SCORERS))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_text_gets_a_finding(output: str, scored: tuple[Any, Any]) -> None:
    scorer, expected = scored
    [built] = build_scorers(suite_of(scorer))
    finding = built.score(Answer(output), case_of(expected))
    assert finding.passed in {True, False}
    assert finding.reason.isprintable()


def test_scoring_a_short_output_takes_microseconds() -> None:
    """A night scores a hundred thousand outputs; the bound is wide because machines differ."""
    for scorer, expected in SCORERS:
        [built] = build_scorers(suite_of(scorer))
        case, answer = case_of(expected), Answer("The answer is [Yes], or 42.")
        before = time.process_time()
        for _ in range(500):
            built.score(answer, case)
        assert (time.process_time() - before) / 500 < 300e-6, scorer
