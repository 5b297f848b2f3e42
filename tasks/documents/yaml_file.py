"""Read a YAML file that a person writes, and remember on which line each part of it stands.

What YAML 1.1 reads in surprising ways is read as written: only `true` and `false` are booleans (`no` is text), `1e-3`
is a number, `12:30` and `010` are text, and so are dates. Every value is thus one that JSON knows.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tasks.documents.files import read_text
from tasks.documents.wording import Trail, brief, label, shown
from tasks.errors import Problem, UsageError

MOST_NODES = 100_000
"""A file with more values than this, aliases expanded, is an accident or an attack."""

MOST_NESTED = 100
"""Levels in each other: more than that is an accident or an attack, and some library would fail at it later."""

TAG = "tag:yaml.org,2002:"
VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML mapping. `raw` is `data` before `${VAR}` was replaced; `substituted` are the values that were put in.

    `problems` are mistakes that left the rest readable, by where they stand.
    """

    path: Path
    data: dict[str, Any]
    raw: dict[str, Any]
    lines: Mapping[Trail, int]
    problems: Mapping[Trail, Problem]
    substituted: frozenset[str]

    def where(self, trail: Trail = ()) -> str:
        """`file:line` of a part, or of the nearest part around it."""
        while trail not in self.lines:
            trail = trail[:-1]
        return f"{shown(self.path)}:{self.lines[trail]}"

    def problem(self, trail: Trail, message: str, hint: str = "") -> Problem:
        """A mistake in a part of this file."""
        return Problem(self.where(trail), f"{label(trail)}: {message}", hint)


def read_yaml(path: Path, *, env: Mapping[str, str] | None = None) -> Document:
    """Read a mapping; with `env`, `${VAR}` in any text is replaced. Raises UsageError when it is no YAML mapping."""
    node = _compose(read_text(path), path)
    if node is None:
        raise UsageError.single("the file is empty", where=shown(path))
    if not isinstance(node, yaml.MappingNode):
        came = "a list" if isinstance(node, yaml.SequenceNode) else brief(node.value)
        raise UsageError.single(f"expected a mapping, got {came}", where=f"{shown(path)}:1")
    written, filled = _Builder(path, None), _Builder(path, env)
    try:
        raw, data = written.build(node, ()), filled.build(node, ())
    except RecursionError:
        raise UsageError.single("nested too deeply", where=shown(path)) from None
    return Document(
        path=path,
        data=data,
        raw=raw,
        lines=filled.lines,
        problems=filled.problems,
        substituted=frozenset(filled.substituted),
    )


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's way to start without YAML 1.1's rules)


for _tag, _pattern in (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?(0|[1-9][0-9_]*)|0x[0-9a-fA-F]+|0o[0-7]+"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
    ("merge", r"<<"),
):
    _Loader.add_implicit_resolver(TAG + _tag, re.compile(rf"(?:{_pattern})\Z"), None)


def is_storable(text: str) -> bool:
    """Whether files, environment and databases take a text: no NUL, and Unicode that can be encoded."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _text(text: str) -> str:
    if not is_storable(text):
        raise ValueError
    return text


def _int(text: str) -> int:
    number = int(text, 0)
    if abs(number) >= 1 << 63:
        raise ValueError
    return number


def _null(text: str) -> None:
    if text not in {"", "~", "null", "Null", "NULL"}:
        raise ValueError


def _float(text: str) -> float:
    number = float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(number):
        raise ValueError
    return number


SCALARS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "null": ("nothing", _null),
    "bool": ("true or false", lambda text: {"true": True, "false": False}[text.lower()]),
    "int": ("a whole number of at most 64 bits", _int),
    "float": ("a finite number", _float),
    "str": ("text without NUL and halves of characters", _text),
}


def _compose(text: str, path: Path) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"broken YAML: the character {chr(error.character)!r} may not stand here"
        raise UsageError.single(message, where=f"{shown(path)}:{line}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = " ".join(part for part in (error.context, error.problem) if part)
        hint = "indent with blanks, not tabs" if "\\t" in said else ""
        raise UsageError.single(f"broken YAML: {said}", where=f"{shown(path)}:{line}", hint=hint) from None
    except RecursionError:
        raise UsageError.single("nested too deeply", where=shown(path)) from None
    return node


class _Builder:
    """Turns YAML nodes into values; knows the line of each and what is wrong with it."""

    def __init__(self, path: Path, env: Mapping[str, str] | None) -> None:
        self.path = path
        self.env = env
        self.lines: dict[Trail, int] = {}
        self.problems: dict[Trail, Problem] = {}
        self.substituted: set[str] = set()
        self.nodes = 0

    def build(self, node: yaml.Node, trail: Trail) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            message = f"more than {MOST_NODES} values, with aliases expanded"
            raise UsageError.single(message, where=shown(self.path))
        if len(trail) > MOST_NESTED:
            raise UsageError.single("nested too deeply", where=f"{shown(self.path)}:{node.start_mark.line + 1}")
        self.lines.setdefault(trail, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode) and node.tag == TAG + "map":
            return self.mapping(node, trail)
        if isinstance(node, yaml.SequenceNode) and node.tag == TAG + "seq":
            return [self.build(item, (*trail, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, trail)
        return self.mistake(node, trail, f"unknown YAML tag {node.tag.replace(TAG, '!!')!r}")

    def mapping(self, node: yaml.MappingNode, trail: Trail) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else key_node.id
            if key_node.tag == TAG + "merge":
                merged = {**self.merged(value_node, trail), **merged}
            elif key_node.tag != TAG + "str" or not is_storable(key):
                self.mistake(key_node, (*trail, key), "expected text as a field's name", "put it in quotes")
            elif key in own:
                first = self.lines[*trail, key]
                self.mistake(key_node, (*trail, key), f"the field {key!r} stands here and on line {first}")
            else:
                self.lines[*trail, key] = key_node.start_mark.line + 1
                own[key] = self.build(value_node, (*trail, key))
        return {**merged, **own}

    def merged(self, node: yaml.Node, trail: Trail) -> dict[str, Any]:
        """What `<<` brings in: one mapping, or several of which the first wins."""
        several = isinstance(node, yaml.SequenceNode)
        parts = [self.build(part, trail) for part in (node.value if several else [node])]
        if not all(isinstance(part, dict) for part in parts):
            self.mistake(node, trail, "expected a mapping to merge")
            return {}
        return {key: value for part in reversed(parts) for key, value in part.items()}

    def scalar(self, node: yaml.ScalarNode, trail: Trail) -> Any:
        text, tag = node.value, node.tag
        if self.env is not None and "${" in text:
            text = self.filled(node, trail)
            if node.style is None:
                tag = _Loader("").resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        expected, read = SCALARS.get(tag.removeprefix(TAG), ("", None))
        if read is None:
            return self.mistake(node, trail, f"unknown YAML tag {tag.replace(TAG, '!!')!r}")
        try:
            return read(text)
        except (ValueError, KeyError):
            return self.mistake(node, trail, f"expected {expected}, got {brief(node.value)}")

    def filled(self, node: yaml.ScalarNode, trail: Trail) -> str:
        """The text with the values of its variables."""
        env = self.env or {}
        names = VARIABLE.findall(node.value)
        unset = [name for name in names if name not in env]
        if unset:
            hint = "put it into the environment or into .env"
            missing = ", ".join(f"${{{name}}}" for name in unset)
            self.mistake(node, trail, f"the environment does not set {missing}", hint)
        elif VARIABLE.sub("", node.value).count("${"):
            self.mistake(node, trail, f"expected ${{NAME}}, got {brief(node.value)}")
        self.substituted.update(env[name] for name in names if name in env)
        return VARIABLE.sub(lambda match: env.get(match[1], match[0]), node.value)

    def mistake(self, node: yaml.Node, trail: Trail, message: str, hint: str = "") -> None:
        """Note a mistake; the value counts as nothing."""
        where = f"{shown(self.path)}:{node.start_mark.line + 1}"
        named = f"{label(trail)}: {message}" if trail else message
        self.problems.setdefault(trail, Problem(where, named, hint))
