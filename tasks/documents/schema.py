"""Check a document against its schema, and put what pydantic finds into words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tasks.documents.wording import Trail, brief, meant, nearest
from tasks.documents.yaml_file import Document
from tasks.errors import Problem

Schema = TypeVar("Schema", bound=BaseModel)

EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a name or a mapping",
    "string_too_short": "text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} in the list",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number from {ge:g} up",
    "less_than_equal": "a number up to {le:g}",
    "literal_error": "{expected}",
}
SECRET_FIELD = re.compile(r"(key|token|secret|password)(_env)?$", re.IGNORECASE)


class Fault(NamedTuple):
    """A pydantic error, with its place in the document instead of its place in the schema."""

    trail: Trail
    error: ErrorDetails


def checked(document: Document, schema: type[Schema], stand_in: Mapping[str, Any]) -> tuple[Schema, list[Problem]]:
    """The document as `schema`, and every mistake in it.

    Where there are mistakes, the result lacks the fields (in the lists that `stand_in` names: the items) that have
    them, so that what depends on the rest can still be checked; `stand_in` has values for fields that must be there.
    The schema's own validators must be of fields: a mistake of the whole would have no place.
    """
    data, problems = document.data, list(document.problems.values())
    while True:
        try:
            return schema.model_validate(data), problems
        except ValidationError as error:
            faults = [Fault(trail_of(detail, data), detail) for detail in error.errors(include_url=False)]
        problems += problems_of(faults, document, schema)
        data = without({fault.trail for fault in faults}, data, stand_in)


def trail_of(error: ErrorDetails, data: object) -> Trail:
    """Where an error stands in the data; pydantic also names the branches of unions that it took."""
    trail: list[str | int] = []
    for step in error["loc"]:
        here = step_into(data, step)
        if here is not None:
            data = here[0]
            trail.append(step)
    missing = error["type"] == "missing"
    return (*trail, error["loc"][-1]) if missing else tuple(trail)


def step_into(data: object, step: str | int) -> tuple[Any] | None:
    """The value under a key or list position, in a tuple; None where there is none."""
    if isinstance(data, dict) and step in data:
        return (data[step],)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return (data[step],)
    return None


def without(faulty: set[Trail], data: Mapping[str, Any], stand_in: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of the data when the faulty fields and items are gone."""
    whole = {trail[0] for trail in faulty if len(trail) == 1 or trail[0] not in stand_in}
    rest = {field: value for field, value in data.items() if field not in whole}
    for field in {trail[0] for trail in faulty} - whole:
        rest[str(field)] = [item for index, item in enumerate(data[str(field)]) if not touches(faulty, field, index)]
    return {**rest, **{field: value for field, value in stand_in.items() if not rest.get(field)}}


def touches(faulty: set[Trail], field: str | int, index: int) -> bool:
    """Whether anything in this item of a list is faulty."""
    return any(trail[:2] == (field, index) for trail in faulty)


def problems_of(faults: Sequence[Fault], document: Document, schema: type[BaseModel]) -> Iterator[Problem]:
    """One problem for each faulty place; of the branches of a union, the one that went deepest is meant."""
    trails = [fault.trail for fault in faults]
    misspelt = set(misspelt_fields(faults, schema))
    faults = [fault for fault in faults if fault.error["type"] != "missing" or fault.trail not in misspelt]
    for trail, group in groupby(faults, key=lambda fault: fault.trail):
        deeper = any(len(other) > len(trail) and other[: len(trail)] == trail for other in trails)
        if not deeper and trail not in document.problems:
            message, hint = in_words([fault.error for fault in group], document, trail, schema)
            yield document.problem(trail, message, hint)


def misspelt_fields(faults: Sequence[Fault], schema: type[BaseModel]) -> Iterator[Trail]:
    """Where the fields would stand for which unknown ones were probably meant."""
    for trail, error in faults:
        if error["type"] == "extra_forbidden":
            yield (*trail[:-1], meant(str(trail[-1]), known_fields(schema, error["loc"])) or "")


def in_words(
    errors: Sequence[ErrorDetails], document: Document, trail: Trail, schema: type[BaseModel]
) -> tuple[str, str]:
    """Message and hint for what is wrong in one place; several errors are the branches of a union."""
    error = errors[0]
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return f"unknown field {brief(trail[-1])}", nearest(str(trail[-1]), known_fields(schema, error["loc"]))
        case "missing":
            return "this field is missing", ""
        case "union_tag_invalid":
            return f"unknown type {context['tag']!r}", nearest(context["tag"], words_in(context["expected_tags"]))
        case "union_tag_not_found":
            written = ", ".join(map(str, error["input"]))
            return f"expected a type, got only {written}", "write NAME, NAME: {options} or {type: NAME, options}"
        case "value_error":
            message = str(context["error"])
            return f"{message}, got {came(document, trail)}" if message.startswith("expected") else message, ""
    phrases = [EXPECTED.get(other["type"], other["msg"]).format(**other.get("ctx", {})) for other in errors]
    return f"expected {' or '.join(dict.fromkeys(phrases))}, got {came(document, trail)}", quotes(errors)


def words_in(listed: str) -> list[str]:
    """The words of pydantic's list "'a', 'b'"."""
    return re.findall(r"'([^']+)'", listed)


def quotes(errors: Sequence[ErrorDetails]) -> str:
    """A hint where quotes are missing or too many."""
    value, types = errors[0]["input"], {error["type"] for error in errors}
    if "string_type" in types and isinstance(value, int | float):
        return "put it in quotes"
    is_number = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9.]+|true|false", value)
    return "leave the quotes away" if is_number and types & {"int_type", "float_type", "bool_type"} else ""


def came(document: Document, trail: Trail) -> str:
    """What stands in the file, never what came from the environment, nor what may be a secret."""
    written: Any = document.raw
    value: Any = document.data
    for step in trail:
        written, value = written[step], value[step]
    if trail and SECRET_FIELD.search(str(trail[-1])):
        return "something else"
    if isinstance(written, dict):
        return "a mapping"
    return brief(written) + (" from the environment" if written != value else "")


def known_fields(schema: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The names of the fields that may stand where pydantic's `loc` found one that may not."""
    blocks = [schema]
    for step in [step for step in loc[:-1] if isinstance(step, str)]:
        branch = [block for block in blocks if step in {block.__name__, tag_of(block)}]
        fields = [field for block in blocks for name, field in block.model_fields.items() if name == step]
        blocks = branch or [block for field in fields for block in blocks_in(field.annotation)]
    return [field.alias or name for block in blocks for name, field in block.model_fields.items()]


def blocks_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The schemas that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from blocks_in(part)


def tag_of(block: type[BaseModel]) -> str | None:
    """What `type` must be for a block of a tagged union."""
    field = block.model_fields.get("type")
    return get_args(field.annotation)[0] if field else None
