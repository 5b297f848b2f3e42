"""What is refused before the first call: scorers that cannot work, and cases that lack what they need."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tasks.config import ScorerConfig, spell_out
from tasks.scoring.requirements import problem_of_case, problems_of_scorer
from tests.scoring.scored import case_of

FOLDER = Path("suites/sample")
CONFIG: TypeAdapter[ScorerConfig] = TypeAdapter(ScorerConfig)


def config_of(scorer: object) -> ScorerConfig:
    return CONFIG.validate_python(spell_out(scorer))


def problems(scorer: object, files: Mapping[str, str] | None = None) -> list[str]:
    return list(problems_of_scorer(config_of(scorer), files or {}, FOLDER))


def python(text: str, *, call: str = "score.py:score") -> tuple[dict[str, Any], dict[str, str]]:
    return {"python": {"call": call}}, {"score.py": text}


def rubric(text: str, **included: str) -> tuple[dict[str, Any], dict[str, str]]:
    return {"judge": {"judge": "j", "rubric": "r.md"}}, {"r.md": text, **included}


def schema(value: Any, *fields: str) -> tuple[dict[str, Any], dict[str, str]]:
    text = value if isinstance(value, str) else json.dumps(value)
    return {"json_schema": {"schema": "s.json", "fields": list(fields)}}, {"s.json": text}


def regex(pattern: str) -> tuple[dict[str, Any], dict[str, str]]:
    return {"regex": {"pattern": pattern}}, {}


def labels(*labels: str) -> tuple[dict[str, Any], dict[str, str]]:
    return {"one_of": {"labels": list(labels)}}, {}


OBJECT = {"type": "object", "properties": {"total": {"type": "number"}}}
BILL = {"$defs": {"b": OBJECT}}
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
CIRCLE = {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}

WRONG_SCORERS = {
    "labels that differ in case": (
        labels("yes", "Yes"),
        "labels: 'yes' and 'Yes' are the same but for case and spaces",
    ),
    "labels that differ in spaces": (
        labels("not spam", "not  spam"),
        "labels: 'not spam' and 'not  spam' are the same",
    ),
    "a blank label": (labels("yes", " "), "labels: ' ' is blank"),
    "an invalid pattern": (regex("(yes"), "pattern: '(yes' is not a valid regular expression: missing )"),
    "a pattern that never ends": (regex("(a|aa)+$"), "pattern: '(a|aa)+$' takes longer than 0.1 s on 60 characters"),
    "a pattern that never ends on its own letters": (regex(r"^(ö|öö)+$"), "pattern: '^(ö|öö)+$' takes longer"),
    "a broken template": (regex("{{ expected"), "pattern: not a valid template: unexpected end of template"),
    "a template with an unknown variable": (
        regex("{{ label }}"),
        "pattern: unknown variable 'label'; known are id, input, expected, kind, tags, group",
    ),
    "a template with an unknown filter": (regex("{{ expected | regex }}"), "pattern: not a valid template: No filter"),
    "a template that is an invalid pattern": (regex("({{ expected }}"), "pattern: '(1' is not a valid regular"),
    "a template that never ends": (regex("({{ id }}|{{ id }}{{ id }})+$"), "pattern: '(1|11)+$' takes longer"),
    "no schema file": ((schema({})[0], {}), "schema: 's.json' does not exist in suites/sample"),
    "a schema that is no JSON": (schema("{"), "schema: 's.json' is not JSON: Expecting property name"),
    "a schema that is no object": (schema("[1]"), "schema: expected an object, got [1]"),
    "a schema with a wrong keyword": (schema({"type": "invoice"}), "schema: not a JSON schema: 'invoice' is not valid"),
    "a schema with a wrong place": (schema({"properties": 5}), "schema: not a JSON schema: 5 is not of type 'object'"),
    "a schema of no draft": (schema({"$schema": 5}), "schema: $schema: expected the address of a draft, got 5"),
    "a schema that is too deep": (schema('{"not":' * 900 + "{}" + "}" * 900), "schema: is nested too deeply"),
    "a schema from the network": (
        schema({"$ref": "https://example.com/invoice.json"}),
        "schema: $ref 'https://example.com/invoice.json' leads out of the schema; only '#…' is followed",
    ),
    "a reference to nothing": (schema({"items": {"$ref": "#/$defs/no"}}), "schema: $ref '#/$defs/no' leads nowhere"),
    "references in a circle": (schema(CIRCLE), "schema: $ref '#/$defs/a' leads round in a circle"),
    "an invalid pattern in a schema": (schema({"pattern": "("}), "schema: "),
    "a pattern in a schema that never ends": (schema({"patternProperties": {"(a|aa)+$": {}}}), "schema: the pattern"),
    "a field that the schema does not know": (
        schema(OBJECT, "sum"),
        "fields: the schema has no field 'sum'; it has 'total'",
    ),
    "a field that a reference does not know": (
        schema({"$ref": "#/$defs/bill", "$defs": {"bill": OBJECT}}, "sum"),
        "fields: the schema has no field 'sum'; it has 'total'",
    ),
    "no Python file": ((python("")[0], {}), "call: 'score.py' does not exist in suites/sample"),
    "Python that does not compile": (python("x = 1\ndef score(:"), "call: score.py cannot be imported: line 2: "),
    "Python that breaks": (python("1 / 0"), "call: score.py cannot be imported: ZeroDivisionError: division by zero"),
    "Python that exits": (python("raise SystemExit(3)"), "call: score.py cannot be imported: SystemExit: 3"),
    "Python that imports what is not there": (
        python("import nowhere"),
        "call: score.py cannot be imported: ModuleNotFound",
    ),
    "no function": (python("def scores(output, case): ..."), "call: score.py has no function 'score'"),
    "no function but a value": (python("score = 1"), "call: score.py has no function 'score'"),
    "too few parameters": (
        python("def score(output): ..."),
        "call: score(output) has the wrong parameters; expected score(output, case)",
    ),
    "too many parameters": (
        python("def score(output, case, model): ..."),
        "call: score(output, case, model) has the wrong",
    ),
    "an async function": (python("async def score(output, case): ..."), "call: score is async or a generator"),
    "a generator": (python("def score(output, case):\n    yield 1"), "call: score is async or a generator"),
    "a package that is not there": (
        python("", call="nowhere.scorers:score"),
        "call: nowhere.scorers cannot be imported",
    ),
    "a function that a package lacks": (python("", call="json:score"), "call: json has no function 'score'"),
    "no rubric": ((rubric("")[0], {}), "rubric: 'r.md' does not exist in suites/sample"),
    "a rubric with a broken template": (
        rubric("Good?\n{% if %}"),
        "rubric r.md line 2: not a valid template: Expected an",
    ),
    "a rubric with an unknown variable": (
        rubric("{{ answer }}"),
        "rubric r.md: unknown variable 'answer'; known are id, input, expected, kind, tags, group, output",
    ),
    "a rubric that includes what it computes": (
        rubric("{% include kind %}"),
        "rubric r.md: expected the name of the included file in quotes",
    ),
    "a broken template that is included": (
        rubric("{% include 'x.md' %}", **{"x.md": "\n{% if %}"}),
        "rubric x.md line 2: not a valid template: Expected an",
    ),
    "an included text that filters the output": (
        rubric("{% include 'x.md' %}", **{"x.md": "{{ output | upper }}"}),
        "rubric x.md: 'output' can only be inserted as it",
    ),
    "a rubric that filters the output": (
        rubric("{{ output | upper }}"),
        "rubric r.md: 'output' can only be inserted as it",
    ),
    "a rubric that cuts the output": (
        rubric("{{ output[:9] }}"),
        "rubric r.md: 'output' can only be inserted as it is",
    ),
    "a rubric that asks the output": (
        rubric("{% if 'x' in output %}a{% endif %}"),
        "rubric r.md: 'output' can only be",
    ),
    "a rubric that renames the output": (rubric("{% set o = output %}{{ o }}"), "rubric r.md: 'output' can only be"),
}


@pytest.mark.parametrize(("written", "message"), WRONG_SCORERS.values(), ids=WRONG_SCORERS)
def test_a_scorer_that_cannot_work_is_refused(written: tuple[Any, dict[str, str]], message: str) -> None:
    [problem] = problems(*written)
    assert problem.startswith(message)


RIGHT_SCORERS = {
    "short forms": ("exact", {}),
    "labels": labels("spam", "not spam"),
    "a pattern": regex(r"(?i)^\s*(yes|no)\b.*$"),
    "a pattern with braces": regex(r"^\{\"a\": \d{1,3}\}$"),
    "a template": regex(r"\b{{ expected.total }}|{{ expected | pattern }}{% for tag in tags %}|{{ tag }}{% endfor %}"),
    "a template that only cases can try": regex("{{ expected.upper() }}"),
    "a schema": schema(OBJECT, "total"),
    "a schema inline": ({"json_schema": {"schema": OBJECT, "fields": ["total"]}}, {}),
    "a schema that allows anything": schema({}, "total"),
    "fields of alternatives": schema({"anyOf": [{"properties": {"a": {}}}, {"$ref": "#/$defs/b"}], **BILL}, "total"),
    "a schema that holds itself": schema({"properties": {"next": {"$ref": "#"}}}),
    "an older draft": schema({"$schema": DRAFT_7, "definitions": {"a": {}}, "items": {"$ref": "#/definitions/a"}}),
    "a value that looks like a reference": schema({"enum": [{"$ref": "https://example.com"}]}),
    "a function": python("def score(output, case): return True"),
    "a function with more, optional parameters": python("def score(output, case, *, strict=False): return True"),
    "a function made by another": python("import functools\nscore = functools.partial(lambda *given: True, 1)"),
    "an import path": python("", call="tests.scoring.scorer_of_a_package:says_yes"),
    "a rubric": rubric("Is it right?\n{{ input }} {{ expected }}\n{{ output }}"),
    "a rubric without variables": rubric("Is it polite?"),
    "a rubric that includes others": rubric(
        "{% set k = kind %}{% include 'x.md' %}", **{"x.md": "{% include 'y.md' %}", "y.md": "{{ k }}{{ output }}"}
    ),
    "a rubric with conditions on the case": rubric("{% if expected %}{{ output }}{% endif %}"),
}  # fmt: skip


@pytest.mark.parametrize("written", RIGHT_SCORERS.values(), ids=RIGHT_SCORERS)
def test_a_scorer_that_works_is_accepted(written: tuple[Any, dict[str, str]]) -> None:
    assert problems(*written) == []


def test_every_problem_of_a_scorer_is_told() -> None:
    assert len(problems(*labels("a", "A", "b", "B", " "))) == 3
    assert len(problems(*schema(OBJECT, "sum", "tax"))) == 2


TEXT = "expected should be a text, got "
LABELS = "expected should be one of the labels 'yes', 'no', got "
JUDGE = {"judge": {"judge": "j", "rubric": "r.md"}}
FIELDS = {"json_schema": {"schema": OBJECT, "fields": ["total", "tax"]}}

WRONG_CASES: list[tuple[object, Any, str]] = [
    ("exact", None, TEXT + "nothing"),
    ("exact", 42, TEXT + "42"),
    ("contains", None, "expected should be a text or a list of texts, none empty, got nothing"),
    ("contains", [], "expected should be a text or a list of texts, none empty, got []"),
    ("contains", ["a", ""], "expected should be a text or a list of texts, none empty, got ['a', '']"),
    ("contains", ["a", 1], "expected should be a text or a list of texts, none empty, got ['a', 1]"),
    ({"one_of": {"labels": ["yes", "no"]}}, "maybe", LABELS + "'maybe'"),
    ({"one_of": {"labels": ["yes", "no"]}}, True, LABELS + "True"),
    ({"one_of": {"labels": ["yes", "no"]}}, None, LABELS + "nothing"),
    ("numeric", None, "expected should be a number, got nothing"),
    ("numeric", True, "expected should be a number, got True"),
    ("numeric", float("nan"), "expected should be a number, got nan"),
    ("numeric", "about forty", "expected should be a number, got 'about forty'"),
    ("numeric", "5 kg", "expected should be a number, got '5 kg'"),
    ("numeric", "1 or 2", "expected should be a number, got '1 or 2'"),
    (FIELDS, None, "expected should be an object with 'total', 'tax', got nothing"),
    (FIELDS, "{}", "expected should be an object with 'total', 'tax', got '{}'"),
    (FIELDS, {"total": 1}, "expected lacks 'tax', which the scorer compares"),
    ({"regex": {"pattern": "{{ expected }}"}}, None, "expected should be a value, which the pattern uses, got nothing"),
    (
        {"regex": {"pattern": "{{ expected.a }}"}},
        {"b": 1},
        "the pattern cannot be made: 'dict object' has no attribute 'a'",
    ),
    ({"regex": {"pattern": "{{ expected | pattern }}"}}, "(", "the pattern becomes '(', which is not valid: missing )"),
    (
        {"regex": {"pattern": "{{ expected.upper() }}"}},
        5,
        "the pattern cannot be made: 'int object' has no attribute 'upper'",
    ),
    (JUDGE, None, "expected should be a value, which the rubric uses, got nothing"),
    (JUDGE, {"b": 1}, "the rubric cannot be rendered: 'dict object' has no attribute 'answer'"),
]


@pytest.mark.parametrize(("scorer", "expected", "message"), WRONG_CASES)
def test_a_case_that_lacks_what_a_scorer_needs_is_refused(scorer: object, expected: Any, message: str) -> None:
    problem = problem_of_case(config_of(scorer), case_of(expected), {"r.md": "Compare with {{ expected.answer }}."})
    assert problem is not None
    assert problem.startswith(message)


RIGHT_CASES: list[tuple[object, Any]] = [
    ("exact", "yes"),
    ("exact", ""),
    ("contains", "yes"),
    ("contains", ["yes", "no"]),
    ({"one_of": {"labels": ["Yes", "No"]}}, "yes"),
    ("numeric", 0),
    ("numeric", -1.5),
    ("numeric", "1,234.50 €"),
    (FIELDS, {"total": 1, "tax": None, "more": 1}),
    ({"json_schema": {"schema": OBJECT}}, None),
    ({"regex": {"pattern": "yes"}}, None),
    ({"regex": {"pattern": "{{ input }}"}}, None),
    ("refusal", None),
    (JUDGE, {"answer": "yes"}),
    ({"python": {"call": "score.py:score"}}, None),
]


@pytest.mark.parametrize(("scorer", "expected"), RIGHT_CASES)
def test_a_case_that_has_what_a_scorer_needs_is_accepted(scorer: object, expected: Any) -> None:
    assert (
        problem_of_case(config_of(scorer), case_of(expected), {"r.md": "Compare with {{ expected.answer }}."}) is None
    )


def test_a_rubric_needs_no_label_unless_it_uses_one() -> None:
    assert (
        problem_of_case(config_of(JUDGE), case_of(None), {"r.md": "Is {{ output }} an answer to {{ input }}?"}) is None
    )
    assert problem_of_case(config_of(JUDGE), case_of(None)) is None


def test_messages_stay_short_whatever_is_in_the_files() -> None:
    long = "x" * 100_000
    for written in [regex(f"({long}"), schema({"type": long}), python(f"raise ValueError('{long}')")]:
        assert all(len(problem) < 700 for problem in problems(*written))
    message = problem_of_case(config_of("numeric"), case_of({long: [long] * 1000}))
    assert message is not None
    assert len(message) < 400
