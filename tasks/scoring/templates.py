"""Templates in scorers' options, patterns and rubrics, in a sandbox; unlike prompts they may see `expected`."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import regex
from jinja2 import ChainableUndefined, StrictUndefined, Template, TemplateError, Undefined
from jinja2.meta import find_undeclared_variables

from tasks.documents.sandbox import TemplateSandbox
from tasks.records import Case

CASE_VARIABLES = ("id", "input", "expected", "kind", "tags", "group")
FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What rendering raises when a template does not suit the case."""


def variables_of(case: Case) -> dict[str, Any]:
    """What a template (or a Python scorer) sees of a case."""
    return {
        "id": case.id,
        "input": case.input,
        "expected": case.expected,
        "kind": case.kind,
        "tags": list(case.tags),
        "group": case.group,
    }


class Pattern(str):
    """Text that is a pattern already and goes into another one as it is."""

    __slots__ = ()


class AnyValue(ChainableUndefined):
    """Stands for every variable and all that is inside it, to try a template before there is a case."""

    def __str__(self) -> str:
        return "1"

    def __iter__(self) -> Iterator[str]:
        return iter("1")

    def __bool__(self) -> bool:
        return True


def escaped(value: object) -> object:
    """A value as text that a pattern finds literally."""
    return value if isinstance(value, Pattern | Undefined) else regex.escape(str(value))


def as_text(value: object) -> object:
    """A value as a rubric shows it: text as it is, anything else as JSON."""
    if isinstance(value, str | Undefined):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


@lru_cache(maxsize=1)
def pattern_environment() -> TemplateSandbox:
    """For `regex` patterns: what is inserted is escaped, except after the filter `pattern`."""
    environment = TemplateSandbox(undefined=StrictUndefined, finalize=escaped)
    environment.filters["pattern"] = lambda text: Pattern(str(text))
    return environment


def is_template(pattern: str) -> bool:
    """True when a pattern holds variables; a regular expression needs no doubled braces."""
    return "{{" in pattern or "{%" in pattern


@lru_cache(maxsize=256)
def pattern_template(pattern: str) -> Template:
    """A pattern as template; raises jinja2.TemplateSyntaxError."""
    return pattern_environment().from_string(pattern)


def render_anyhow(pattern: str) -> str:
    """A pattern with a stand-in for every variable."""
    return pattern_environment().overlay(undefined=AnyValue).from_string(pattern).render()


@lru_cache(maxsize=256)
def variables_used(template: str) -> frozenset[str]:
    """The variables that a template reads; raises jinja2.TemplateSyntaxError."""
    return frozenset(find_undeclared_variables(pattern_environment().parse(template)))
