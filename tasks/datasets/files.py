"""Read the texts that a suite is made of: its prompt with what that includes, and its scorers' files."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tasks.config import JsonSchemaScorer, JudgeScorer, PythonScorer, ScorerConfig
from tasks.datasets.problems import Problems
from tasks.datasets.templates import references_in
from tasks.documents.files import read_text, status_of
from tasks.documents.wording import brief, nearest, shown
from tasks.errors import UsageError


class Wanted(NamedTuple):
    """A file that something names; `where` and `what` tell a person what does."""

    name: str
    where: str
    what: str


def read_texts(wanted: Iterable[Wanted], folder: Path, problems: Problems) -> dict[str, str]:
    """The texts by the names under which they are wanted; what cannot be read is missing, with a problem."""
    texts: dict[str, str] = {}
    for name, where, what in wanted:
        if name not in texts:
            try:
                texts[name] = suite_text(folder, name)
            except FileNotFoundError:
                inside = (str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file())
                problems.add(where, f"{what}: no such file: {brief(name)}", nearest(name, inside))
            except UsageError as error:
                problems.add(where, f"{what}: {error}")
    return texts


def suite_text(folder: Path, name: str) -> str:
    """The text of one file of a suite; raises FileNotFoundError, or UsageError where it may not or cannot be read."""
    path = folder / name
    if status_of(path) is None:
        raise FileNotFoundError
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError.single(f"expected a file in the suite's folder, got {brief(name)}")
    text = read_text(path)
    if not text.strip():
        raise UsageError.single("the file is empty", where=shown(path))
    return text


def read_templates(wanted: Iterable[Wanted], folder: Path, problems: Problems) -> dict[str, str]:
    """The texts of templates, and of all that they include."""
    texts = read_texts(wanted, folder, problems)
    ahead = dict(texts)
    while ahead:
        included = [part for name, text in ahead.items() for part in includes(text, shown(folder / name))]
        ahead = read_texts((part for part in included if part.name not in texts), folder, problems)
        texts |= ahead
    return texts


def includes(text: str, file: str) -> Iterator[Wanted]:
    """The files that a template names."""
    for line, name in references_in(text):
        if name is not None:
            yield Wanted(name, f"{file}:{line}", "include")


def file_of(scorer: ScorerConfig) -> str | None:
    """The file of the suite that a scorer uses, if any."""
    match scorer:
        case JsonSchemaScorer(schema_=str(name)) | JudgeScorer(rubric=name):
            return name
        case PythonScorer(call=call) if call.partition(":")[0].endswith(".py"):
            return call.partition(":")[0]
    return None


def scorer_texts(
    scorers: Iterable[ScorerConfig], places: Mapping[str, str], folder: Path, problems: Problems
) -> dict[str, str]:
    """The files of the scorers, rubrics with what they include; `places` says where each scorer stands, by name."""
    texts: dict[str, str] = {}
    for scorer in scorers:
        name = file_of(scorer)
        if name is not None:
            read = read_templates if isinstance(scorer, JudgeScorer) else read_texts
            label = scorer.name or scorer.type
            texts |= read([Wanted(name, places[label], f"scorer {label!r}")], folder, problems)
    return texts
