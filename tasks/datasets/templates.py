"""Render what a model is asked: Jinja2 in a sandbox, which sees a case but never what is expected of it.

In text, lists, objects, true, false and null are written as JSON, also where `{{ input }}` is an object. Few-shot turns
and a case's own messages are sent as they are.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.meta import find_undeclared_variables

from tasks.documents.sandbox import TemplateSandbox
from tasks.documents.wording import brief
from tasks.records import Case, Suite

VISIBLE = ("id", "input", "kind", "tags", "group")
FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What rendering a template raises when the template does not suit the case."""

BARE = "{{input}}"
UNNAMED = "<template>"
"""What Jinja calls a template that comes from no file."""

UNANSWERABLE = "the conversation does not end with a turn of the user"


class Fault(NamedTuple):
    """What is wrong in a line of a template; `line` counts from 1."""

    line: int
    message: str
    word: str = ""


class Complaint(NamedTuple):
    """What keeps a case from being asked; `template` is empty for the user's message, None where none is to blame."""

    message: str
    template: str | None = None
    line: int = 0


class Lacking(StrictUndefined):
    """What a template names and a case lacks."""

    @property
    def _undefined_message(self) -> str:
        if isinstance(self._undefined_obj, dict | list | str):
            return f"there is no {self._undefined_name!r} in {brief(self._undefined_obj)}"
        return f"this case has no {self._undefined_name!r}"


class Sandbox(TemplateSandbox):
    """Templates that can read their suite's files alone."""

    def __init__(self, files: Mapping[str, str]) -> None:
        super().__init__(undefined=Lacking, loader=FunctionLoader(partial(named, files)), finalize=written)
        self.filters["tojson"] = as_json


def named(files: Mapping[str, str], name: str) -> tuple[str, str, None] | None:
    """A template with its name, which tracebacks then tell."""
    return (files[name], name, None) if name in files else None


def written(value: Any) -> Any:
    """A value as it is to stand in a text."""
    return as_json(value) if value is None or isinstance(value, bool | dict | list) else value


def as_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON, without the escapes that HTML would need; raises UndefinedError for what a case lacks."""
    if isinstance(value, Undefined):
        return str(value)
    return json.dumps(value, ensure_ascii=False, indent=indent)


class Renderer:
    """Turns the cases of one suite into messages; raises one of `FAULTS` where a case lacks what a template names."""

    def __init__(self, suite: Suite) -> None:
        config = suite.config
        sandbox = Sandbox(suite.files)
        self.prompt = sandbox.get_template(config.prompt) if config.prompt else None
        self.user = sandbox.from_string(config.user)
        self.user_is_bare = "".join(config.user.split()) == BARE
        self.few_shot = [message.model_dump() for message in config.messages]

    def messages(self, case: Case) -> list[dict[str, str]]:
        """System prompt, few-shot turns, the case's own turns, and the user's message.

        Where `user` is left at its default, a case that brings `messages` of its own is asked these alone.
        """
        seen = visible(case)
        own = case.input.get("messages") if isinstance(case.input, dict) else None
        system = [{"role": "system", "content": self.prompt.render(seen)}] if self.prompt else []
        user = [] if own and self.user_is_bare else [{"role": "user", "content": self.user.render(seen)}]
        return [*system, *self.few_shot, *(own or []), *user]

    def complaint(self, case: Case) -> Complaint | None:
        """What keeps a case from being asked."""
        try:
            messages = self.messages(case)
        except RecursionError as error:
            return Complaint("includes itself, or is nested too deeply", *place_of(error))
        except FAULTS as error:
            return Complaint(str(error), *place_of(error))
        return None if messages[-1]["role"] == "user" else Complaint(UNANSWERABLE)


def place_of(error: BaseException) -> tuple[str, int]:
    """The template and line in which rendering failed; the user's message has no name."""
    place, trace = ("", 1), error.__traceback__
    while trace is not None:
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            name = trace.tb_frame.f_code.co_filename
            place = ("" if name == UNNAMED else name), trace.tb_lineno
        trace = trace.tb_next
    return place


def visible(case: Case) -> dict[str, Any]:
    """What templates see of a case; `group` only where it has one."""
    seen = {"id": case.id, "input": case.input, "kind": case.kind, "tags": list(case.tags)}
    return seen if case.group is None else {**seen, "group": case.group}


def faults_in(text: str, assigned: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Mistakes that need no case to be seen; `assigned` are variables that other templates of the suite set."""
    sandbox = Sandbox({})
    try:
        tree = sandbox.parse(text)
        sandbox.from_string(text)
    except TemplateSyntaxError as error:
        yield Fault(error.lineno, f"broken template: {error.message}")
        return
    unknown = find_undeclared_variables(tree).difference(VISIBLE, sandbox.globals, assigned)
    for line, reference in references_in(text):
        if reference is None:
            yield Fault(line, "expected the name of the included file in quotes")
    for name in sorted(unknown):
        line = min(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)
        never = "a template never sees 'expected'" if name == "expected" else f"unknown variable {name!r}"
        yield Fault(line, never, "" if name == "expected" else name)


def assigned_in(text: str) -> set[str]:
    """The variables that a template sets."""
    try:
        tree = Sandbox({}).parse(text)
    except TemplateSyntaxError:
        return set()
    return {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}


def references_in(text: str) -> Iterator[tuple[int, str | None]]:
    """The line and name of each template that this one includes, imports or extends; None for a computed name."""
    try:
        tree = Sandbox({}).parse(text)
    except TemplateSyntaxError:
        return
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        name = node.template  # type: ignore[attr-defined]
        for one in name.items if isinstance(name, nodes.List | nodes.Tuple) else [name]:
            yield node.lineno, one.value if isinstance(one, nodes.Const) and isinstance(one.value, str) else None
