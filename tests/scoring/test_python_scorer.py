"""`python`: functions that a suite brings."""

import gzip
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from tasks.records import Answer, Case
from tasks.scoring.build import build_scorers, outcome_of, score_all
from tests.scoring.scored import case_of, find, suite_of

RETURNED = [
    ("True", True, 1.0, ""),
    ("False", False, 0.0, "the function returned False"),
    ('{"passed": True}', True, 1.0, ""),
    ('{"passed": False, "value": 0.25, "reason": "one of four"}', False, 0.25, "one of four"),
    ('{"passed": True, "value": 3, "reason": None}', True, 3.0, ""),
    ('{"passed": None, "reason": "no reference"}', None, None, "no reference"),
]


def scoring(body: str) -> dict[str, str]:
    return {"score.py": f"def score(output, case):\n    {body}\n"}


@pytest.mark.parametrize(("returned", "passes", "value", "reason"), RETURNED)
def test_what_a_function_may_return(returned: str, *, passes: bool | None, value: float | None, reason: str) -> None:
    finding = find({"python": {"call": "score.py:score"}}, "x", files=scoring(f"return {returned}"))
    assert (finding.passed, finding.value, finding.reason) == (passes, value, reason)


@pytest.mark.parametrize(
    "returned",
    [
        "None", "1", "0.5", "'yes'", "[True]", "{}", "{'passed': 1}", "{'passed': 'yes'}", "{'value': 1.0}",
        "{'passed': True, 'value': 'high'}", "{'passed': True, 'value': float('nan')}",
        "{'passed': True, 'value': True}",
        "{'passed': True, 'reason': 5}", "{'passed': True, 'score': 1}", "{1: 2}", "(x for x in '')", "score",
    ],
)  # fmt: skip
def test_whatever_else_a_function_returns_leaves_the_case_unscored(returned: str) -> None:
    finding = find({"python": {"call": "score.py:score"}}, "x", files=scoring(f"return {returned}"))
    assert finding.passed is None
    assert finding.reason.startswith("the function returned ")
    assert finding.reason.endswith('expected a bool or {"passed": bool, "value": float, "reason": str}')


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('no such label')", "the scorer crashed: ValueError: no such label (score.py line 2)"),
        ("return 1 / 0", "the scorer crashed: ZeroDivisionError: division by zero (score.py line 2)"),
        ("return case['label']", "the scorer crashed: KeyError: 'label' (score.py line 2)"),
        ("import sys; sys.exit('enough')", "the scorer crashed: SystemExit: enough (score.py line 2)"),
        ("return score(output, case)", "the scorer crashed: RecursionError: maximum recursion depth exceeded"),
        ("raise TimeoutError('\\ud800' + 'x' * 9999)", "the scorer crashed: TimeoutError: �xxx"),
    ],
)
def test_a_crash_is_data(body: str, reason: str) -> None:
    finding = find({"python": {"call": "score.py:score"}}, "x", files=scoring(body))
    assert finding.passed is None
    assert finding.reason.startswith(reason)
    assert len(finding.reason) <= 501


def test_the_function_sees_the_case() -> None:
    body = "return {'passed': True, 'reason': repr(case)}"
    seen = find({"python": {"call": "score.py:score"}}, "x", {"a": 1}, files=scoring(body)).reason
    assert seen == (
        "{'id': 'c1', 'input': 'a question', 'expected': {'a': 1}, 'kind': 'accuracy', 'tags': ['t1'], 'group': 'g1'}"
    )


def test_the_function_cannot_change_the_case() -> None:
    files = scoring("case['expected'].clear(); case['tags'].clear(); return True")
    [scorer] = build_scorers(suite_of({"python": {"call": "score.py:score"}}, files=files))
    case = case_of({"a": [1]})
    assert scorer.score(Answer("x"), case).passed
    assert (case.expected, case.tags) == ({"a": [1]}, ("t1",))


def test_a_file_is_a_module_of_its_own() -> None:
    """Two suites with a `json.py` meet neither each other nor the standard library's."""
    first, second = (
        build_scorers(suite_of({"python": {"call": "json.py:score"}}, files={"json.py": text}, folder=folder))[0]
        for folder, text in [
            ("one", "seen = []\ndef score(output, case):\n    seen.append(output)\n    return len(seen) == 1"),
            ("two", "def score(output, case):\n    return 'seen' not in globals()"),
        ]
    )
    assert [first.score(Answer("x"), case_of()).passed for _ in range(2)] == [True, False]
    assert second.score(Answer("x"), case_of()).passed
    assert sys.modules["json"] is json


def test_a_file_may_hold_dataclasses_with_deferred_annotations() -> None:
    """dataclasses look up the module of a class by its name, so the module must be known."""
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Found:\n    passed: bool\n"
        "def score(output, case):\n    return Found(True).passed\n"
    )
    assert find({"python": {"call": "score.py:score"}}, "x", files={"score.py": text}).passed


def test_a_function_of_an_import_path() -> None:
    assert find({"python": {"call": "operator:contains"}}, "id and more", files={}).reason.startswith(
        "the scorer crashed: TypeError"
    )
    assert find({"python": {"call": "tests.scoring.scorer_of_a_package:says_yes"}}, "yes", "yes").passed


DRIFT = Path(__file__).parents[3] / "shared" / "data" / "llmdrift-prime" / "answers.jsonl.gz"

PAPERS_RULE = """
import re

def score(output, case):
    said = next((word for word in ("yes", "no") if re.search(rf"\\b{word}\\b", output, re.IGNORECASE)), None)
    return {"passed": said == case["expected"].lower(), "reason": f"said {said}"}
"""

STRICTER_RULE = """
import re

def score(output, case):
    said = re.search(r"\\[(yes|no)\\]", output, re.IGNORECASE) or re.search(r"(\\w+)", output)
    return bool(said) and said[1].lower() == case["expected"].lower()
"""


@pytest.mark.skipif(not DRIFT.exists(), reason="the published answers are not here")
@pytest.mark.parametrize(
    ("rule", "passed"), [(PAPERS_RULE, (840, 511, 496, 762)), (STRICTER_RULE, (840, 511, 519, 761))]
)
def test_published_answers_are_scored_as_published(rule: str, passed: tuple[int, ...]) -> None:
    """1000 answers of each of four models, Chen, Zaharia & Zou 2023 (arXiv 2307.09009)."""
    scorers = build_scorers(suite_of({"python": {"call": "score.py:score"}}, files={"score.py": rule}))
    passes = Counter[str]()
    for row in map(json.loads, gzip.decompress(DRIFT.read_bytes()).splitlines()):
        case = Case(id=row["id"], input=row["query"], expected=row["reference"])
        passes[row["model"]] += outcome_of(score_all(scorers, Answer(row["answer"]), case))[0] == "passed"
    models = ("gpt-4-0314", "gpt-4-0613", "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613")
    assert tuple(passes[model] for model in models) == passed
