"""JSON schemas of suites: checked, made ready, and safe against what a model may write."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import regex
from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.validators import extend, validator_for
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from tasks.scoring.findings import excerpt, one_line
from tasks.scoring.patterns import SEARCH_S, compile_pattern, is_catastrophic

Schema = Mapping[str, Any]

ITSELF = "urn:daybreak:schema"
NOTHING_ELSE: Registry[Any] = Registry()
"""Given to jsonschema so that it fetches nothing from the network."""


class Validator(Protocol):
    """What we use of jsonschema's validators."""

    def iter_errors(self, instance: Any) -> Iterator[ValidationError]:
        """Every way in which the instance violates the schema."""


def read_schema(schema: str | Schema, files: Mapping[str, str]) -> Schema:
    """A schema that is given inline or as a file; raises KeyError for a file that is not there, else ValueError."""
    value = json.loads(files[schema]) if isinstance(schema, str) else schema
    if not isinstance(value, Mapping):
        raise ValueError(f"expected an object, got {excerpt(value)}")
    if not isinstance(value.get("$schema", ""), str):
        raise ValueError(f"$schema: expected the address of a draft, got {excerpt(value['$schema'])}")
    return value


def validator_of(schema: Schema, registry: Registry[Any] = NOTHING_ELSE) -> Validator:
    """A validator by the schema's own draft (default 2020-12) that checks formats too and never fetches anything."""
    draft = validator_for(schema, default=Draft202012Validator)
    bounded = extend(  # type: ignore[no-untyped-call]
        draft, {"pattern": check_pattern, "uniqueItems": check_unique_items}
    )
    validator: Validator = bounded(schema, format_checker=draft.FORMAT_CHECKER, registry=registry)
    return validator


def check_pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    """The keyword `pattern` with a limit on time; raises TimeoutError."""
    if validator.is_type(instance, "string") and not compile_pattern(pattern).search(instance, timeout=SEARCH_S):
        yield ValidationError(f"{excerpt(instance)} does not match {pattern!r}")


def check_unique_items(validator: Any, wanted: object, instance: Any, _: Any) -> Iterator[ValidationError]:
    """The keyword `uniqueItems` in linear time."""
    if wanted and validator.is_type(instance, "array") and len(set(map(comparable, instance))) < len(instance):
        yield ValidationError(f"{excerpt(instance)} has equal items")


def comparable(value: Any) -> Any:
    """A JSON value that is hashable, and equal to another one when JSON schema says so: 1 is 1.0, true is not 1."""
    match value:
        case dict():
            return frozenset((key, comparable(item)) for key, item in value.items())
        case list():
            return tuple(map(comparable, value))
        case bool():
            return (bool, value)
        case _:
            return value


def problems_of_schema(schema: Schema, fields: list[str]) -> Iterator[str]:
    """What is wrong with a schema, or with the fields that are to be compared."""
    draft = validator_for(schema, default=Draft202012Validator)
    try:
        draft.check_schema(dict(schema))
    except SchemaError as error:
        yield f"schema: not a JSON schema: {one_line(error.message, limit=150)} (at {error.json_path})"
        return
    yield from problems_inside(schema)
    yield from problems_of_references(schema)
    known = known_fields(schema, schema)
    for name in fields:
        if known and name not in known:
            yield f"fields: the schema has no field {name!r}; it has {', '.join(map(repr, sorted(known)))}"


def problems_inside(schema: Schema) -> Iterator[str]:
    """Patterns that cannot be used, wherever they stand."""
    patterns = [value for key, value in keywords_in(schema) if key == "pattern" and isinstance(value, str)]
    named = [value for key, value in keywords_in(schema) if key == "patternProperties" and isinstance(value, dict)]
    for pattern in [*patterns, *(name for names in named for name in names)]:
        try:
            if is_catastrophic(pattern):
                yield f"schema: the pattern {pattern!r} can take for ever on a short text"
        except regex.error as error:
            yield f"schema: the pattern {pattern!r} is not valid: {error}"


def problems_of_references(schema: Schema) -> Iterator[str]:
    """References that lead out of the schema, nowhere, or round in a circle."""
    outside = [
        v for k, v in keywords_in(schema) if k in {"$ref", "$dynamicRef"} and isinstance(v, str) and v[:1] != "#"
    ]
    yield from (f"schema: $ref {ref!r} leads out of the schema; only '#…' is followed" for ref in outside)
    if outside:
        return
    registry = Registry().with_resource(ITSELF, Resource.from_contents(schema, default_specification=DRAFT202012))
    references = [value for key, value in keywords_in(schema) if key == "$ref" and isinstance(value, str)]
    for reference in dict.fromkeys(references):
        try:
            next(validator_of({"$ref": ITSELF + reference}, registry).iter_errors(None), None)
        except Unresolvable:
            yield f"schema: $ref {reference!r} leads nowhere"
        except RecursionError:
            yield f"schema: $ref {reference!r} leads round in a circle"
        except TimeoutError:
            continue


def keywords_in(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every key of a schema with its value, at any depth, but for examples of data."""
    if isinstance(schema, list):
        for item in schema:
            yield from keywords_in(item)
    elif isinstance(schema, Mapping):
        for key, value in schema.items():
            yield key, value
            if key not in {"const", "default", "enum", "examples"}:
                yield from keywords_in(value)


def known_fields(schema: Any, root: Schema, *, depth: int = 0) -> frozenset[str]:
    """The names that a schema gives to an object's fields, through its references and alternatives."""
    if not isinstance(schema, Mapping) or depth > 20:
        return frozenset()
    alternatives = [part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, [])]
    parts = [*alternatives, schema.get("then"), schema.get("else"), pointed_at(schema.get("$ref"), root)]
    named = frozenset(schema.get("properties", {}))
    return named.union(*(known_fields(part, root, depth=depth + 1) for part in parts))


def pointed_at(reference: object, root: Schema) -> Any:
    """What a reference like `#/$defs/invoice` points at, if it does."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found: Any = root
    for step in reference[1:].split("/")[1:]:
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found
