"""Parts of the public contract that this version does not have yet: refused by name, never ignored."""

from collections.abc import Iterator

from tasks.config import Config
from tasks.documents import ConfigFile
from tasks.errors import Problem, UsageError


def refuse_unbuilt(file: ConfigFile) -> None:
    """Raise UsageError naming everything written that would otherwise have no effect."""
    fields = list(unbuilt(file.config))
    if fields:
        raise UsageError(Problem(str(file.path), f"{field}: not in this version", "take it out") for field in fields)


def unbuilt(config: Config) -> Iterator[str]:
    """The fields of a config that nothing reads yet."""
    if config.workers > 1:
        yield "workers above 1"
    if config.auto_compare:
        yield "auto_compare"
