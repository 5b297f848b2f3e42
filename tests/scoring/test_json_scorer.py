"""`json_schema`."""

import json
import time
from typing import Any

import pytest

from tasks.records import Answer
from tests.scoring.scored import find

INVOICE = {
    "type": "object",
    "required": ["number", "total"],
    "properties": {
        "number": {"type": "string"},
        "total": {"type": "number"},
        "paid": {"type": ["boolean", "null"]},
        "issued": {"type": "string", "format": "date"},
        "lines": {"type": "array", "uniqueItems": True},
    },
}
FIELDS = ["number", "total", "paid"]
LABEL = {"number": "A-17", "total": 12, "paid": None}


def invoice(**changes: Any) -> str:
    return json.dumps(LABEL | changes)


ACCEPTED = [
    ("JSON", invoice(), ""),
    ("with white space", f"\n {invoice()} \n", ""),
    ("with a byte order mark", "\ufeff" + invoice(), ""),
    ("in a code fence", f"```json\n{invoice()}\n```", "in a code fence"),
    ("in a code fence without language", f"```\n{invoice()}\n```\n", "in a code fence"),
    ("in a code fence on one line", f"```{invoice()}```", "in a code fence"),
    ("with a fence inside a text", json.dumps(LABEL | {"note": "```x```"}), ""),
    ("12.0 is 12", invoice(total=12.0), ""),
    ("with a field that nobody compares", invoice(seen=True), ""),
    ("fields in another order", json.dumps(dict(reversed(LABEL.items()))), ""),
]


@pytest.mark.parametrize(("output", "reason"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_json_that_passes(output: str, reason: str) -> None:
    finding = find({"type": "json_schema", "schema": INVOICE, "fields": FIELDS}, output, LABEL)
    assert (finding.passed, finding.reason, finding.value) == (True, reason, 1.0)


REFUSED = [
    ("prose", "The total is 12.", "not JSON alone: Expecting value at 'The total is 12.'", 0),
    ("prose before it", f"Here it is: {invoice()}", "not JSON alone", 0),
    ("prose behind it", f"{invoice()} I hope this helps!", "not JSON alone: Extra data at 'I hope this helps!'", 0),
    ("prose before a fence", f"Sure:\n```json\n{invoice()}\n```", "not JSON alone", 0),
    ("two fences", f"```\n{invoice()}\n```\n```\n{invoice()}\n```", "not JSON alone", 0),
    ("a fence that is not closed", f"```json\n{invoice()}", "not JSON alone", 0),
    ("nothing", "", "not JSON alone", 0),
    ("cut off", invoice()[:-3], "not JSON alone", 0),
    ("single quotes", "{'number': 'A-17'}", "not JSON alone", 0),
    ("NaN", '{"number": "A-17", "total": NaN}', "not unambiguous JSON: NaN is no JSON", 0),
    ("a key twice", '{"total": 1, "total": 12}', "not unambiguous JSON: the key 'total' is given twice", 0),
    ("too deep", "[" * 100_000, "nested too deeply", 0),
    ("a number without end", "9" * 5000, "not unambiguous JSON", 0),
    ("a list", "[]", "$: [] is not of type 'object'; number: expected 'A-17', got nothing", 0),
    ("a wrong field", invoice(number="A-71"), "number: expected 'A-17', got 'A-71'", 2 / 3),
    (
        "two wrong fields",
        invoice(number="B", total=1),
        "number: expected 'A-17', got 'B'; total: expected 12, got 1",
        1 / 3,
    ),
    ("a field is missing", '{"number": "A-17", "total": 12}', "paid: expected None, got nothing", 2 / 3),
    ("a number as text", invoice(total="12"), "$.total: '12' is not of type 'number'", 2 / 3),
    ("right fields, but not of the schema", invoice(issued="22 Nov"), "$.issued: '22 Nov' is not a 'date'", 1),
    ("equal items", invoice(lines=[{"a": 1}, {"a": 1.0}]), "$.lines: [{'a': 1}, {'a': 1.0}] has equal items", 1),
]


@pytest.mark.parametrize(("output", "reason", "share"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_json_that_fails(output: str, reason: str, share: float) -> None:
    finding = find({"type": "json_schema", "schema": INVOICE, "fields": FIELDS}, output, LABEL)
    assert finding.passed is False
    assert finding.reason.startswith(reason)
    assert finding.value == pytest.approx(share)


SAME = [
    (1, 1.0, True),
    (1, "1", False),
    (True, 1, False),
    (0, False, False),
    (None, "", False),
    ("a", "A", False),
    ([1, 2], [1.0, 2], True),
    ([1, 2], [2, 1], False),
    ([1], [1, 1], False),
    ({"a": 1, "b": [True]}, {"b": [True], "a": 1}, True),
    ({"a": 1}, {"a": 1, "b": 2}, False),
    ([True], [1], False),
]


@pytest.mark.parametrize(("expected", "got", "same"), SAME)
def test_values_are_compared_as_json_does(expected: Any, got: Any, *, same: bool) -> None:
    scorer = {"type": "json_schema", "schema": {"type": "object"}, "fields": ["x"]}
    assert find(scorer, json.dumps({"x": got}), {"x": expected}).passed is same


def test_without_fields_the_schema_alone_counts() -> None:
    scorer = {"type": "json_schema", "schema": "schema.json"}
    files = {"schema.json": json.dumps(INVOICE)}
    assert find(scorer, invoice(number="anything"), files=files).value == 1.0
    assert find(scorer, '{"number": 5}', files=files).value == 0.0


def test_a_long_list_of_objects_is_checked_for_equal_items_in_time() -> None:
    """jsonschema compares every two items, which takes hours here."""
    before = time.monotonic()
    output = invoice(lines=[{"a": n} for n in range(50_000)])
    assert find({"type": "json_schema", "schema": INVOICE}, output).passed
    assert time.monotonic() - before < 5


def test_a_schema_that_holds_itself_meets_its_match() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    output = '{"next": ' * 300 + "{}" + "}" * 300
    assert find({"type": "json_schema", "schema": tree}, output).reason == "nested too deeply for the schema"


def test_a_pattern_of_the_schema_that_takes_too_long_leaves_the_case_unscored() -> None:
    schema = {"type": "string", "pattern": r"\s+$"}
    finding = find({"type": "json_schema", "schema": schema}, json.dumps(" " * 200_000 + "x"))
    assert (finding.passed, finding.reason) == (None, "a pattern of the schema took too long")


def test_more_than_any_model_writes_is_not_read() -> None:
    finding = find({"type": "json_schema", "schema": {}}, Answer("1" * 1_000_001))
    assert finding.passed is None
    assert finding.reason == "the output has 1000001 characters; up to 1000000 are read as JSON"
