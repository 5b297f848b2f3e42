"""Check the team's file of retirements before anything is called."""

from collections.abc import Iterator

from tasks.documents import ConfigFile
from tasks.errors import Problem, UsageError
from tasks.lifecycle.announced import read_announced


def announced_problems(file: ConfigFile) -> Iterator[Problem]:
    """What is wrong with the team's file of retirements."""
    try:
        read_announced(file.path.parent)
    except UsageError as error:
        yield from error.problems
