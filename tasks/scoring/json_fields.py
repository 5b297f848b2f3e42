"""`json_schema`: whether an output is JSON of a schema, and which of its fields are right."""

from collections.abc import Mapping
from typing import Any

from tasks.config import JsonSchemaScorer
from tasks.records import Case, Finding
from tasks.scoring.findings import Rule, excerpt, failed, one_line, passed, unscored
from tasks.scoring.json_schemas import Schema, Validator, validator_of
from tasks.scoring.json_text import Json, NotJson, read_json

MAX_CHARACTERS = 1_000_000
"""More than any model writes; validating it takes seconds."""


def json_schema(config: JsonSchemaScorer, schema: Schema) -> Rule:
    """Pass when the output is JSON of the schema and every named field equals the expected one.

    The output is JSON alone, or one fenced code block that holds it (the reason says so); prose around it fails.
    Values are equal as JSON values are: 1 is 1.0, "1" is not; texts by each character; lists in order. The value is
    the share of the named fields that are right, or without `fields` whether the schema holds.
    """
    validator = validator_of(schema)

    def score(text: str, case: Case) -> Finding:
        if len(text) > MAX_CHARACTERS:
            return unscored(f"the output has {len(text)} characters; up to {MAX_CHARACTERS} are read as JSON")
        match read_json(text):
            case NotJson(reason, got):
                return failed(f"{reason}: {got}")
            case Json(value, fenced):
                return compared(value, case, validator, config.fields, fenced=fenced)

    return score


def compared(value: Any, case: Case, validator: Validator, fields: list[str], *, fenced: bool) -> Finding:
    """What is wrong with a parsed output."""
    try:
        violation = first_violation(validator, value)
    except RecursionError:
        violation = "nested too deeply for the schema"
    except TimeoutError:
        return unscored("a pattern of the schema took too long")
    wrong = wrong_fields(value, case.expected, fields)
    share = 1 - len(wrong) / len(fields) if fields else float(violation is None)
    if violation or wrong:
        return failed("; ".join([*([violation] if violation else []), *wrong]), value=share)
    return passed("in a code fence" if fenced else "", value=share)


def first_violation(validator: Validator, value: Any) -> str | None:
    """The first way in which a value violates the schema, and where."""
    error = next(validator.iter_errors(value), None)
    return one_line(f"{error.json_path}: {error.message}", limit=200) if error else None


def wrong_fields(value: Any, expected: Any, fields: list[str]) -> list[str]:
    """The named fields that differ, each with what was expected and what came."""
    got = value if isinstance(value, Mapping) else {}
    return [
        f"{name}: expected {excerpt(expected[name])}, got {excerpt(got[name]) if name in got else 'nothing'}"
        for name in fields
        if name not in got or not is_same(expected[name], got[name])
    ]


def is_same(expected: Any, got: Any) -> bool:
    """Equality of JSON values."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(is_same, expected, got))
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return expected.keys() == got.keys() and all(is_same(expected[key], got[key]) for key in expected)
    return bool(expected == got)
