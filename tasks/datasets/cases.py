"""Turn rows into cases, and say what is wrong with a row."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tasks.config import SqlCases
from tasks.datasets.problems import Problems
from tasks.datasets.rows import FIELDS, Row
from tasks.datasets.sources import rows_of
from tasks.documents.wording import brief, nearest
from tasks.records import Case, Suite

DEFAULT_KIND = "accuracy"
LONGEST_ID = 200
MOST_NESTED = 100
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
ROLES = ("system", "user", "assistant")


class Mistake(NamedTuple):
    """What is wrong with a case; `kind` is what it shares with others like it.

    `place` is where the mistake stands if that is not the case itself.
    """

    kind: str
    message: str
    hint: str = ""
    place: str = ""


def read_cases(
    cases: str | Sequence[str] | SqlCases, folder: Path, where: str, problems: Problems
) -> Iterator[tuple[Row, Case | None]]:
    """Every row with its case, or with None where the row is wrong; `where` is the place that names the cases."""
    for row in rows_of(cases, folder, where, problems):
        mistakes = list(mistakes_in(row.fields))
        for mistake in mistakes:
            problems.add(row.where, mistake.message, mistake.hint, kind=mistake.kind)
        yield row, None if mistakes else case_of(row.fields)


def cases_of(suite: Suite) -> Iterator[Case]:
    """The cases of a checked suite, as they are in its files now."""
    folder = Path(suite.folder)
    rows = read_cases(suite.config.cases, folder, str(folder / "suite.yaml"), Problems())
    return (case for _, case in rows if case)


def case_of(fields: dict[str, Any]) -> Case:
    """The case of a row without mistakes."""
    return Case(
        id=fields["id"],
        input=fields["input"],
        expected=fields.get("expected"),
        kind=fields.get("kind") or DEFAULT_KIND,
        tags=tuple(fields.get("tags") or ()),
        group=fields.get("group"),
    )


def mistakes_in(fields: dict[str, Any]) -> Iterator[Mistake]:
    """Everything that is wrong with a row; a null counts as missing."""
    for name, value in fields.items():
        if name not in FIELDS:
            yield Mistake("unknown field", f"unknown field {name!r}", nearest(name, FIELDS))
        elif name in CHECKS and value is not None:
            expected, hint = CHECKS[name](value)
            if expected:
                yield Mistake(name, f"{name}: expected {expected}, got {brief(value)}", hint)
    for name in ("input", "expected"):
        if is_too_deep(fields.get(name)):
            yield Mistake("nested", f"{name}: expected at most {MOST_NESTED} levels in each other")
    for name in ("id", "input"):
        if fields.get(name) is None:
            yield Mistake(f"no {name}", f"the field {name!r} is missing")


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects lie deeper in each other than every library on the way can take."""
    level = [value]
    for _ in range(MOST_NESTED + 1):
        level = [inner for outer in level for inner in within(outer)]
    return bool(level)


def within(value: Any) -> Iterable[Any]:
    """What a list or object holds."""
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def check_id(value: Any) -> tuple[str, str]:
    """What an id should have been, with a hint; empty texts when it is fine."""
    if not isinstance(value, str):
        return "text", "put ids in quotes; in SQL, CAST(id AS VARCHAR)"
    if not value or len(value) > LONGEST_ID or CONTROL.search(value):
        return f"1 to {LONGEST_ID} characters without line breaks, tabs or other control characters", ""
    return "", ""


def check_word(value: Any) -> tuple[str, str]:
    """The same for a kind or group."""
    fine = isinstance(value, str) and value and not CONTROL.search(value)
    return ("", "") if fine else ("a word", "")


def check_tags(value: Any) -> tuple[str, str]:
    """The same for tags."""
    if isinstance(value, str):
        return "a list of words", "[…]; in SQL, string_split(tags, '|')"
    words = isinstance(value, list) and all(isinstance(tag, str) and tag for tag in value)
    return ("", "") if words and len(set(value)) == len(value) else ("a list of different words", "")


def check_input(value: Any) -> tuple[str, str]:
    """The same for an input, which may bring a conversation as its `messages`."""
    if not isinstance(value, str | dict):
        return "text or an object", "in SQL, CAST(input AS VARCHAR)" if isinstance(value, int | float) else ""
    if isinstance(value, str) or "messages" not in value:
        return "", ""
    messages = value["messages"]
    if isinstance(messages, list) and messages and all(is_message(message) for message in messages):
        return "", ""
    return "input.messages to be a list of {role: system | user | assistant, content: text}", ""


def is_message(message: object) -> bool:
    """Whether this is one turn of a conversation."""
    return (
        isinstance(message, dict)
        and message.keys() == {"role", "content"}
        and message["role"] in ROLES
        and isinstance(message["content"], str)
    )


CHECKS: dict[str, Callable[[Any], tuple[str, str]]] = {
    "id": check_id,
    "input": check_input,
    "kind": check_word,
    "tags": check_tags,
    "group": check_word,
}
