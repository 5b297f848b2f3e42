"""Versions and retirements of models in a terminal."""

from collections.abc import Sequence

from flows.terminal.figures import plain
from flows.terminal.tables import table
from tasks.records import Lifespan
from tasks.storage.reads import Version


def shown_ends(lifespans: Sequence[Lifespan]) -> list[str]:
    """The retirement table, with what may take each model's place."""
    return retirement_table(lifespans) + [
        f"  {plain(one.model)}: {plain(line)}" for one in lifespans for line in one.advice
    ]


def retirement_table(lifespans: Sequence[Lifespan]) -> list[str]:
    """A line for each model and judge, if there is one."""
    if not lifespans:
        return []
    rows = [
        [one.model, one.when, one.risk, one.source, ", ".join(one.suites + one.judged_suites), one.replacement]
        for one in lifespans
    ]
    return [table(["model", "retirement", "risk", "source", "suites at risk", "replacement"], rows)]


def shown_versions(versions: Sequence[Version]) -> str:
    """The versions that models were served as."""
    if not versions:
        return "No version was served yet."
    rows = [
        [one.model, one.served_model, one.system_fingerprint, f"{one.first_seen:%Y-%m-%d}", f"{one.last_seen:%Y-%m-%d}"]
        for one in versions
    ]
    return table(["model", "served as", "fingerprint", "first seen", "last seen"], rows)
