"""`one_of`."""

from typing import Any

import pytest

from tests.scoring.scored import find

YES_NO = ["yes", "no"]
MAIL = ["spam", "not spam", "unsure"]
QUEUES = ["billing", "account_access", "c++"]

NAMED = [
    ("the label alone", YES_NO, "only", "yes", "yes"),
    ("in brackets and another case", YES_NO, "only", "[Yes]", "yes"),
    ("in bold", YES_NO, "only", "**Yes**", "yes"),
    ("in italics", YES_NO, "only", "_yes_", "yes"),
    ("in quotes with a full stop", YES_NO, "only", 'The answer is "no".', "no"),
    ("as JSON", YES_NO, "only", '{"label": "no"}', "no"),
    ("inside another word it is not named", YES_NO, "only", "Yesterday nobody knew", None),
    ("inside a name with underscores it is not named", YES_NO, "only", "not_yes", None),
    ("twice is still one label", YES_NO, "only", "Yes. I repeat: yes!", "yes"),
    ("two labels name none", YES_NO, "only", "Yes and no", None),
    ("no label", YES_NO, "only", "I would rather not say", None),
    ("nothing", YES_NO, "only", "", None),
    ("the longer label wins", MAIL, "only", "This is not spam.", "not spam"),
    ("over any white space", MAIL, "only", "This is Not\n   Spam.", "not spam"),
    ("the longer of two that start alike wins", ["high", "high risk"], "only", "High risk", "high risk"),
    ("the shorter label alone", MAIL, "only", "This is spam.", "spam"),
    ("with an underscore", QUEUES, "only", "Label: Account_Access", "account_access"),
    ("with marks that patterns know", QUEUES, "only", "I'd say C++.", "c++"),
    ("the first of two", YES_NO, "first", "[No] 7 is prime, so yes.", "no"),
    ("the last of two", YES_NO, "last", "[No] 7 is prime, so yes.", "yes"),
    ("in a script without spaces", ["垃圾邮件", "正常"], "only", "这是垃圾邮件。", "垃圾邮件"),
    ("with letters that fold to two", ["groß", "klein"], "only", "GROSS", "groß"),
]


@pytest.mark.parametrize(("labels", "pick", "output", "named"), [row[1:] for row in NAMED], ids=[r[0] for r in NAMED])
def test_the_label_that_an_output_names(labels: list[str], pick: str, output: str, named: str | None) -> None:
    scorer: dict[str, Any] = {"type": "one_of", "labels": labels, "pick": pick}
    assert [label for label in labels if find(scorer, output, label).passed] == ([named] if named else [])


def test_a_label_of_another_case_is_the_same_label() -> None:
    assert find({"type": "one_of", "labels": ["Yes", "No"]}, "yes", "YES").passed


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("no", "expected 'yes', got 'no'"),
        ("no, yes", "expected 'yes', got 'no' and 'yes'"),
        ("maybe", "expected 'yes', got none of the labels in 'maybe'"),
    ],
)
def test_a_wrong_answer_tells_what_it_named(output: str, reason: str) -> None:
    finding = find({"type": "one_of", "labels": YES_NO}, output, "yes")
    assert (finding.passed, finding.reason) == (False, reason)
