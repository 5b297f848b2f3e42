"""Parts of the public contract that this version does not have yet: refused by name, never ignored."""

from collections.abc import Iterator, Sequence

from tasks.config import Config, Gate
from tasks.documents import ConfigFile
from tasks.errors import Problem, UsageError
from tasks.records import Suite

LATER_GATES = ("p95_ms", "max_cost_per_action_usd", "max_confirm_trials", "max_detectable_drop_pp")


def refuse_unbuilt(file: ConfigFile, suites: Sequence[Suite]) -> None:
    """Raise UsageError naming everything written that would otherwise have no effect."""
    fields = [*unbuilt(file.config), *unbuilt_in_suites(suites)]
    if fields:
        raise UsageError(Problem(str(file.path), f"{field}: not in this version", "take it out") for field in fields)


def unbuilt(config: Config) -> Iterator[str]:
    """The fields of a config that nothing reads yet."""
    if config.workers > 1:
        yield "workers above 1"
    if config.auto_compare:
        yield "auto_compare"


def unbuilt_in_suites(suites: Sequence[Suite]) -> Iterator[str]:
    """The fields of suites that nothing reads yet."""
    for suite in suites:
        gate: Gate = suite.config.gate
        yield from (f"suite {suite.name!r} gate.{field}" for field in LATER_GATES if field in gate.model_fields_set)
        if gate.policy == "strict":
            yield f"suite {suite.name!r} gate.policy strict"
