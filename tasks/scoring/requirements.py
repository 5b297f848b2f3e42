"""What a scorer needs, of its options and files and of each case; checked before the first call."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import regex
from jinja2 import TemplateNotFound, TemplateSyntaxError

from tasks.config import (
    ContainsScorer,
    ExactScorer,
    JsonSchemaScorer,
    JudgeScorer,
    NumericScorer,
    OneOfScorer,
    PythonScorer,
    RegexScorer,
    ScorerConfig,
)
from tasks.documents.wording import shown
from tasks.errors import UsageError
from tasks.records import Case
from tasks.scoring.findings import excerpt, one_line
from tasks.scoring.json_schemas import problems_of_schema, read_schema
from tasks.scoring.labels import normalised
from tasks.scoring.numeric import expected_number
from tasks.scoring.patterns import PROBE_S, compile_pattern, is_catastrophic, rendered
from tasks.scoring.python_call import load_function
from tasks.scoring.rubric import Rubric, problems_of_text, rubric_named, variables_read
from tasks.scoring.templates import (
    CASE_VARIABLES,
    FAULTS,
    is_template,
    render_anyhow,
    variables_used,
)

NO_FILES: Mapping[str, str] = MappingProxyType({})


def problems_of_scorer(scorer: ScorerConfig, files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """What is wrong with a scorer itself, each problem after the option that has it. Runs Python scorers' files.

    `files` holds the suite's texts by path relative to `folder`, written as the scorer writes it.
    """
    match scorer:
        case OneOfScorer():
            yield from problems_of_labels(scorer.labels)
        case RegexScorer():
            yield from problems_of_pattern(scorer.pattern)
        case JsonSchemaScorer():
            yield from problems_of_json_schema(scorer, files, folder)
        case JudgeScorer():
            yield from problems_of_rubric(scorer.rubric, files, folder)
        case PythonScorer():
            try:
                load_function(scorer.call, files, folder)
            except UsageError as error:
                yield from map(str, error.problems)


def problems_of_labels(labels: list[str]) -> Iterator[str]:
    """Labels that no output can name, or that one output names at once."""
    first: dict[str, str] = {}
    for label in labels:
        same = first.setdefault(normalised(label), label)
        if not normalised(label):
            yield f"labels: {label!r} is blank"
        elif same is not label:
            yield f"labels: {same!r} and {label!r} are the same but for case and spaces"


def problems_of_pattern(pattern: str) -> Iterator[str]:
    """A pattern that is not valid, or that cannot be searched in reasonable time."""
    try:
        if is_template(pattern):
            yield from unknown_variables("pattern", pattern, known=CASE_VARIABLES)
            pattern = render_anyhow(pattern)
        if is_catastrophic(pattern):
            yield f"pattern: {excerpt(pattern)} takes longer than {PROBE_S} s on 60 characters; nested repetition?"
    except regex.error as error:
        yield f"pattern: {excerpt(pattern)} is not a valid regular expression: {error}"
    except TemplateSyntaxError as error:
        yield f"pattern: not a valid template: {error}"
    except FAULTS:
        return  # what the stand-in for a value cannot do is tried with the cases' own values


def unknown_variables(option: str, template: str, *, known: tuple[str, ...]) -> Iterator[str]:
    """Variables that a template reads and nobody sets; raises TemplateSyntaxError."""
    for name in sorted(variables_used(template) - set(known)):
        yield f"{option}: unknown variable {name!r}; known are {', '.join(known)}"


def problems_of_json_schema(scorer: JsonSchemaScorer, files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """A schema that is not there, cannot be read or does not suit its fields."""
    try:
        yield from list(problems_of_schema(read_schema(scorer.schema_, files), scorer.fields))
    except KeyError:
        yield f"schema: {scorer.schema_!r} does not exist in {shown(folder)}"
    except json.JSONDecodeError as error:
        yield f"schema: {scorer.schema_!r} is not JSON: {error}"
    except ValueError as error:
        yield f"schema: {error}"
    except RecursionError:
        yield "schema: is nested too deeply"


def problems_of_rubric(path: str, files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """A rubric that is not there or is no template that can be used."""
    if path in files:
        yield from problems_of_text(rubric_named(path, files))
    else:
        yield f"rubric: {path!r} does not exist in {shown(folder)}"


def problem_of_case(scorer: ScorerConfig, case: Case, files: Mapping[str, str] = NO_FILES) -> str | None:
    """What a case lacks that a scorer which applies to it needs, or None. Problems of the scorer are not told again.

    A rubric is tried with the case only if `files` holds it.
    """
    match scorer:
        case ExactScorer():
            return None if isinstance(case.expected, str) else wanted("a text", case)
        case ContainsScorer():
            return None if is_text_or_texts(case.expected) else wanted("a text or a list of texts, none empty", case)
        case OneOfScorer():
            known = isinstance(case.expected, str) and normalised(case.expected) in map(normalised, scorer.labels)
            return None if known else wanted(f"one of the labels {', '.join(map(repr, scorer.labels))}", case)
        case NumericScorer():
            return None if expected_number(case.expected) is not None else wanted("a number", case)
        case JsonSchemaScorer():
            return missing_fields(scorer.fields, case)
        case RegexScorer():
            return unusable_pattern(scorer.pattern, case) if is_template(scorer.pattern) else None
        case JudgeScorer():
            return unusable_rubric(rubric_named(scorer.rubric, files), case) if scorer.rubric in files else None
        case _:
            return None


def wanted(what: str, case: Case) -> str:
    """The label that a case lacks."""
    return f"expected should be {what}, got {'nothing' if case.expected is None else excerpt(case.expected)}"


def is_text_or_texts(value: object) -> bool:
    """True for a text or a list of texts, none of which every output contains."""
    texts = value if isinstance(value, list) else [value]
    return bool(texts) and all(isinstance(text, str) and text for text in texts)


def missing_fields(fields: list[str], case: Case) -> str | None:
    """Fields to compare with nothing to compare them with."""
    if not fields:
        return None
    if not isinstance(case.expected, Mapping):
        return wanted(f"an object with {', '.join(map(repr, fields))}", case)
    missing = [name for name in fields if name not in case.expected]
    return f"expected lacks {', '.join(map(repr, missing))}, which the scorer compares" if missing else None


def unusable_pattern(pattern: str, case: Case) -> str | None:
    """Why a pattern cannot be made for a case."""
    try:
        if case.expected is None and "expected" in variables_used(pattern):
            return wanted("a value, which the pattern uses", case)
        compile_pattern(rendered(pattern, case))
    except TemplateSyntaxError:
        return None
    except regex.error as error:
        return f"the pattern becomes {excerpt(rendered(pattern, case))}, which is not valid: {error}"
    except FAULTS as error:
        return one_line(f"the pattern cannot be made: {error}", limit=200)
    return None


def unusable_rubric(rubric: Rubric, case: Case) -> str | None:
    """Why a rubric cannot be rendered for a case."""
    try:
        if case.expected is None and "expected" in variables_read(rubric):
            return wanted("a value, which the rubric uses", case)
        rubric.render(case, "")
    except (TemplateNotFound, TemplateSyntaxError):
        return None
    except FAULTS as error:
        return one_line(f"the rubric cannot be rendered: {error}", limit=200)
    return None
