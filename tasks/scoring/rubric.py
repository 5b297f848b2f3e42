"""A rubric: a template of the suite, with all that it includes, that shows the answer under judgment whole."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from jinja2 import DictLoader, StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from tasks.documents.sandbox import TemplateSandbox
from tasks.records import Case
from tasks.scoring.templates import CASE_VARIABLES, as_text, variables_of

OUTPUT = "output"


class Rubric(NamedTuple):
    """A rubric as it was read: its file's name, and the texts of that file and of those that it includes."""

    name: str
    texts: tuple[tuple[str, str], ...]

    def render(self, case: Case, output: str) -> str:
        """The text for a case; raises one of `templates.FAULTS` where the two do not suit each other."""
        return compiled(self).render(variables_of(case), output=output)


def rubric_named(name: str, files: Mapping[str, str]) -> Rubric:
    """Take a rubric and what it includes out of a suite's files; what is not there is left out."""
    texts: dict[str, str] = {}
    ahead = [name]
    while ahead:
        one = ahead.pop()
        if one in files and one not in texts:
            texts[one] = files[one]
            ahead += [other for other in references_in(files[one]) if other]
    return Rubric(name, tuple(sorted(texts.items())))


def problems_of_text(rubric: Rubric) -> Iterator[str]:
    """What is wrong with a rubric whatever the case is."""
    known = (*CASE_VARIABLES, OUTPUT)
    try:
        compiled(rubric)
        for name in sorted(variables_read(rubric) - set(known)):
            yield f"rubric {rubric.name}: unknown variable {name!r}; known are {', '.join(known)}"
        for file, text in rubric.texts:
            if None in references_in(text):
                yield f"rubric {file}: expected the name of the included file in quotes"
            if not inserts_only_whole(text, OUTPUT):
                yield f"rubric {file}: 'output' can only be inserted as it is: {{{{ output }}}}"
    except TemplateSyntaxError as error:
        yield f"rubric {error.name} line {error.lineno}: not a valid template: {error.message}"


@lru_cache(maxsize=64)
def compiled(rubric: Rubric) -> Template:
    """A rubric as template; raises jinja2.TemplateSyntaxError."""
    return sandbox_of(rubric).get_template(rubric.name)


@lru_cache(maxsize=64)
def variables_read(rubric: Rubric) -> frozenset[str]:
    """The variables that no file of a rubric sets; raises jinja2.TemplateSyntaxError."""
    sandbox = sandbox_of(rubric)
    trees = [sandbox.parse(text, file) for file, text in rubric.texts]
    read = {name for tree in trees for name in find_undeclared_variables(tree)}
    written = {name.name for tree in trees for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    return frozenset(read - written - sandbox.globals.keys())


def sandbox_of(rubric: Rubric) -> TemplateSandbox:
    """Where a rubric is rendered: everything outside the braces stays as it is written."""
    loader = DictLoader(dict(rubric.texts))
    return TemplateSandbox(undefined=StrictUndefined, finalize=as_text, keep_trailing_newline=True, loader=loader)


@lru_cache(maxsize=256)
def references_in(text: str) -> tuple[str | None, ...]:
    """The names of the files that a template includes, imports or extends; None for a computed name."""
    try:
        return tuple(find_referenced_templates(TemplateSandbox().parse(text)))
    except TemplateSyntaxError:
        return ()


def inserts_only_whole(text: str, variable: str) -> bool:
    """True when a template does nothing with a variable but insert it: no filter, no condition, no part of it."""
    tree = TemplateSandbox().parse(text)
    inserted = [node for output in tree.find_all(nodes.Output) for node in output.nodes]
    return all(any(name is node for node in inserted) for name in tree.find_all(nodes.Name) if name.name == variable)
