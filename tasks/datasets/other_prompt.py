"""Other templates for a suite: a prompt from a file, or those of a stored suite."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tasks.datasets.cases import cases_of
from tasks.datasets.files import includes, read_templates
from tasks.datasets.problems import Problems
from tasks.datasets.suite_file import prompt_hash
from tasks.datasets.templates import Renderer, assigned_in, faults_in, references_in
from tasks.documents.files import read_text
from tasks.documents.wording import brief, shown
from tasks.plan import Wording
from tasks.records import Suite


def reworded(suite: Suite, path: Path) -> Wording:
    """A suite's templates with another system prompt; raises UsageError where that does not suit its cases."""
    text, name, problems = read_text(path), f"--prompt {path.name}", Problems()
    wanted = [*includes(text, shown(path)), *includes(suite.config.user, shown(Path(suite.folder) / "suite.yaml"))]
    included = read_templates(wanted, Path(suite.folder), problems)
    assigned = frozenset().union(*map(assigned_in, [text, suite.config.user, *included.values()]))
    for fault in faults_in(text, assigned):
        problems.add(f"{shown(path)}:{fault.line}", fault.message)
    problems.raise_any()
    config = suite.config.model_copy(update={"prompt": name})
    files = {**included, name: text}
    renderer = Renderer(replace(suite, config=config, files={**suite.files, **files}))
    unsuited = ((case, complaint) for case in cases_of(suite) if (complaint := renderer.complaint(case)))
    for case, complaint in unsuited:
        problems.add(f"{shown(path)}:{complaint.line}", f"case {brief(case.id)} of {suite.name}: {complaint.message}")
        problems.raise_any()
    return wording(name, suite, files, prompt_hash(config, files))


def as_in(suite: Suite) -> Wording:
    """The templates of a stored suite."""
    files = {name: suite.files[name] for name in templates_of(suite)}
    return wording(suite.config.prompt, suite, files, suite.prompt_hash)


def wording(prompt: str | None, suite: Suite, files: dict[str, str], hash_: str) -> Wording:
    """Templates with what a suite says around the prompt."""
    return Wording(
        prompt=prompt,
        user=suite.config.user,
        messages=tuple(suite.config.messages),
        files=files,
        prompt_hash=hash_,
    )


def templates_of(suite: Suite) -> Iterator[str]:
    """The prompt and all that it and the user's message include."""
    ahead = [suite.config.prompt] if suite.config.prompt else []
    ahead += [name for _, name in references_in(suite.config.user) if name]
    seen: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name not in seen and name in suite.files:
            seen.add(name)
            yield name
            ahead += [other for _, other in references_in(suite.files[name]) if other]
