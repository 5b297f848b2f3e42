"""Read every suite of a config and check it, before anything is called or written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tasks.datasets.checks import CheckCase
from tasks.datasets.problems import Problems
from tasks.datasets.sources import READERS
from tasks.datasets.suite_file import CheckScorer, SuiteFile
from tasks.documents import ConfigFile
from tasks.documents.wording import brief, nearest, shown
from tasks.errors import Problem, UsageError
from tasks.records import Suite

CheckAll = Callable[[Sequence[Suite]], Iterable[Problem]]
"""What is wrong with a config, given its suites as far as they are sound."""


def load_suites(
    file: ConfigFile,
    *,
    check_scorer: CheckScorer,
    check_case: CheckCase,
    only: Sequence[str] = (),
    check_all: CheckAll = lambda _: (),
) -> tuple[Suite, ...]:
    """Read and check the suites of a config, or those that `only` names.

    Raises UsageError with every mistake in all of them, those of the config that `open_config` has found, and those
    that `check_all` finds.
    """
    problems = Problems()
    problems.take(file.problems)
    suites = []
    for folder in suite_folders(file, only, problems):
        try:
            suites.append(SuiteFile(folder, file, problems).checked_suite(check_scorer, check_case))
        except UsageError as error:
            problems.take(error.problems)
    problems.take(check_all(suites))
    problems.raise_any()
    return tuple(suites)


def suite_folders(file: ConfigFile, only: Sequence[str], problems: Problems) -> list[Path]:
    """The folders of the suites that are wanted: by `only`, else by the config, else all."""
    if not file.datasets.is_dir():
        if not any(one.message.startswith("datasets: ") for one in file.problems):
            problems.add(
                file.datasets, "expected a folder with suites, found none", "`datasets` in the config names it"
            )
        return []
    paths = [path for path in sorted(file.datasets.glob("*/suite.y*ml")) if not path.parent.name.startswith(".")]
    for path in paths:
        if not path.parent.name.isprintable():
            problems.add(path.parent, f"expected a folder's name that prints, got {brief(path.parent.name)}")
        if path.suffix == ".yml":
            problems.add(path, "expected the name suite.yaml")
    found = {path.parent.name: path.parent for path in paths}
    if not found:
        problems.add(file.datasets, "expected at least one folder with a suite.yaml, found none")
        return []
    wanted = only or file.config.suites or list(found)
    for index, name in enumerate(wanted):
        if name not in found:
            where = "--suite" if only else file.place("suites", index)
            problems.add(where, f"expected a suite in {shown(file.datasets)}, got {brief(name)}", nearest(name, found))
    return [found[name] for name in dict.fromkeys(wanted) if name in found]


def folders_without_suite(file: ConfigFile) -> Iterator[str]:
    """Folders that look like suites and are none, in a sentence each."""
    for folder in sorted(file.datasets.glob("*/")):
        cases = sorted(path.name for path in folder.glob("*") if path.suffix in READERS)
        if cases and not folder.name.startswith(".") and not any(folder.glob("suite.y*ml")):
            yield f"{shown(folder)} has {cases[0]} but no suite.yaml, so it is no suite"
