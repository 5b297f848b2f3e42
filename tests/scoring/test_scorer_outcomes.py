"""What holds for every scorer, and what the findings make of a trial."""

from typing import Any

import pytest

from tasks.records import Answer, Finding
from tasks.scoring.build import build_scorers, outcome_of, score_all
from tests.scoring.scored import case_of, find, suite_of

EVERY_SCORER: dict[str, tuple[Any, Any]] = {
    "exact": ("exact", "yes"),
    "contains": ("contains", "yes"),
    "one_of": ({"one_of": {"labels": ["yes", "no"]}}, "yes"),
    "regex": ({"regex": {"pattern": "yes"}}, None),
    "numeric": ("numeric", 42),
    "json_schema": ({"json_schema": {"schema": {"type": "string"}}}, None),
    "python": ({"python": {"call": "score.py:score"}}, None),
}
FILES = {"score.py": "def score(output, case):\n    return output == 'yes'\n"}


@pytest.mark.parametrize(("scorer", "expected"), EVERY_SCORER.values(), ids=EVERY_SCORER)
def test_a_provider_that_refused_leaves_the_case_unscored(scorer: object, expected: object) -> None:
    finding = find(scorer, Answer("", refused_by_provider=True), expected, files=FILES)
    assert (finding.passed, finding.reason) == (None, "the provider refused to answer")


@pytest.mark.parametrize(
    ("scorer", "expected"), [*EVERY_SCORER.values(), ("refusal", None)], ids=[*EVERY_SCORER, "refusal"]
)
def test_an_answer_that_was_cut_off_before_it_began_is_unscored(scorer: object, expected: object) -> None:
    finding = find(scorer, Answer(" ", finish_reason="length"), expected, files=FILES)
    assert (finding.passed, finding.reason) == (None, "the answer was cut off before it began: raise max_tokens")


@pytest.mark.parametrize(("scorer", "expected"), EVERY_SCORER.values(), ids=EVERY_SCORER)
def test_an_empty_answer_is_a_wrong_answer(scorer: object, expected: object) -> None:
    assert find(scorer, Answer("", finish_reason="stop"), expected, files=FILES).passed is False


@pytest.mark.parametrize(("output", "passes", "reason"), [("yes", True, "(truncated)"), ("n", False, "(truncated)")])
def test_an_answer_that_was_cut_off_is_scored_and_marked(output: str, *, passes: bool, reason: str) -> None:
    finding = find("exact", Answer(output, finish_reason="length"), "yes")
    assert finding.passed is passes
    assert finding.reason.endswith(reason)


def test_scorers_apply_to_their_kinds() -> None:
    scorers = build_scorers(suite_of("exact", {"type": "refusal", "kinds": ["off_topic"]}))
    for kind, names in [("accuracy", ["exact"]), ("off_topic", ["exact", "refusal"])]:
        findings = score_all(scorers, Answer("yes"), case_of("yes", kind=kind))
        assert [name for name, _ in findings] == names


def test_scorers_bear_their_own_names_in_the_order_of_the_suite() -> None:
    scorers = build_scorers(
        suite_of({"type": "exact", "name": "label"}, {"judge": {"judge": "j", "rubric": "r.md"}}, "numeric")
    )
    assert [scorer.name for scorer in scorers] == ["label", "numeric"]


GOOD, BAD, UNKNOWN = Finding(True, "", 1.0), Finding(False, "wrong", 0.0), Finding(None, "timeout")

OUTCOMES: list[tuple[str, list[Finding], str, str]] = [
    ("all passed", [GOOD, GOOD], "passed", ""),
    ("one failed", [GOOD, BAD], "failed", "s1: wrong"),
    ("one could not say", [GOOD, UNKNOWN], "unmeasured", "s1: timeout"),
    ("failed beats unscored", [UNKNOWN, BAD], "failed", "s1: wrong"),
    ("the first that failed gives the reason", [BAD, Finding(False, "also wrong")], "failed", "s0: wrong"),
    ("no scorer", [], "unmeasured", "no scorer applies"),
]


@pytest.mark.parametrize(
    ("findings", "outcome", "reason"), [row[1:] for row in OUTCOMES], ids=[row[0] for row in OUTCOMES]
)
def test_the_outcome_of_findings(findings: list[Finding], outcome: str, reason: str) -> None:
    assert outcome_of((f"s{i}", finding) for i, finding in enumerate(findings)) == (outcome, reason)
