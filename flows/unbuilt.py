"""Parts of the public contract that this version does not have yet: refused by name, never ignored."""

from collections.abc import Iterator

from tasks.config import Config
from tasks.documents import ConfigFile
from tasks.errors import Problem


def unbuilt_problems(file: ConfigFile) -> Iterator[Problem]:
    """Everything written that would otherwise have no effect."""
    for field in unbuilt(file.config):
        yield Problem(file.place(field.split()[0]), f"{field}: not in this version", "take it out")


def unbuilt(config: Config) -> Iterator[str]:
    """The fields of a config that nothing reads yet."""
    if config.auto_compare:
        yield "auto_compare"
