"""The commands that tell apart which of several differences made a cell better or worse.

Each is a comparison in which one factor alone differs. Where none can be, there is no command.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.lifecycle.causes import Difference, Factor, changed_params
from tasks.records import Cell

BY_OPTION = frozenset({Factor.PARAMETERS, Factor.PROMPT, Factor.ENDPOINT})
"""What the options of `compare` bring back."""

OPTIONS = {Factor.PARAMETERS: "--param", Factor.PROMPT: "--prompt", Factor.ENDPOINT: "--api-base"}
HIDDEN = ("***", "\\u2022")
"""What stands for a secret in what was recorded, as JSON writes it."""

DEPLOYMENTS = frozenset({"azure", "azure_ai", "sagemaker"})
"""Providers whose ids are names that a customer gave, so that no served version is one."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a comparison; `asked` are the options that asked for the candidate, the model's name first."""

    base: Cell
    cell: Cell
    asked: Sequence[str]

    @property
    def model(self) -> str:
        """The candidate, without what its options changed."""
        return self.asked[1]

    @property
    def is_changed(self) -> bool:
        """Whether the candidate was asked in another way than the config has it."""
        return len(self.asked) > 2

    @property
    def is_one_run(self) -> bool:
        return self.base.run_id == self.cell.run_id

    @property
    def has_one_provider(self) -> bool:
        """Parameters are recorded in a provider's words, and an address is of no use to another one."""
        return provider(self.base) == provider(self.cell)


def commands(
    found: Sequence[Difference], base: Cell, cell: Cell, *, candidate: Sequence[str] = (), options: Sequence[str] = ()
) -> Iterator[str]:
    """For each difference that may count: how to see what it does alone.

    `candidate` are the options that asked for the cell, where its name does not; `options` end every command.
    """
    sides = Sides(base, cell, candidate or ("--candidate", cell.model))
    for one in found:
        others = [other.factor for other in found if other is not one]
        if asked := alone(one.factor, others, sides):
            compare = ["daybreak", "compare", "--suite", cell.suite, *asked, *options]
            yield f"{one.factor}: {shlex.join(compare)}"
        elif one.factor is not Factor.SERVED_MODEL and one.factor not in BY_OPTION:
            yield f"{one.factor}: put it back to {one.before} and run the night again"


def alone(factor: Factor, others: Sequence[Factor], sides: Sides) -> list[str]:
    """The options of a comparison in which one factor differs and all `others` are the same; none where there is none.

    A candidate that was changed is asked with one of its changes; any other with one thing as it was.
    """
    if factor is Factor.SERVED_MODEL:
        return with_other_model(others, sides)
    if factor not in BY_OPTION:
        return []
    if not sides.is_changed:
        change = back_to(factor, sides)
    else:
        is_its_own = sides.is_one_run and sides.base.model == sides.model
        change = [word for pair in pairs(sides.asked) if is_its_own and pair[0] == OPTIONS[factor] for word in pair]
    return ["--candidate", sides.model, *change] if change else []


def with_other_model(others: Sequence[Factor], sides: Sides) -> list[str]:
    """Ask the version that answered then as the candidate is asked; else the candidate as the baseline was asked."""
    if sides.is_one_run and sides.base.model == sides.model:
        return []  # one name on both sides: nothing chooses which version answers
    version = None if sides.is_one_run else snapshot(sides)
    if version:
        return ["--candidate", sides.model, "--baseline", version]
    back = [back_to(other, sides) for other in others]
    if not all(back):
        return []
    baseline = sides.base.model if sides.is_one_run else sides.base.run_id
    return [*merged(sides.asked, *back), "--baseline", baseline]


def snapshot(sides: Sides) -> str | None:
    """The version that answered then as a model of its own, where its provider may have it under that name."""
    base = sides.base
    if base.simulated or len(base.served_models) != 1 or not sides.has_one_provider or provider(base) in DEPLOYMENTS:
        return None
    return f"{provider(base)}/{base.served_models[0]}"


def provider(cell: Cell) -> str:
    """The provider of a cell's model."""
    return (cell.model_id or "").partition("/")[0]


def back_to(factor: Factor, sides: Sides) -> list[str]:
    """The options that bring one factor to where the baseline had it; none where no option can."""
    base = sides.base
    match factor:
        case Factor.PARAMETERS if sides.has_one_provider:
            before = changed_params(base.params or "{}", sides.cell.params or "{}").before
            texts = [f"{name}={value}" for name, value in before.items()]
        case Factor.ENDPOINT if sides.has_one_provider:
            texts = [base.endpoint or "default"]
        case Factor.PROMPT:
            texts = [base.run_id]
        case _:
            return []
    is_hidden = any(sign in text for text in texts for sign in HIDDEN)
    return [] if is_hidden else [word for text in texts for word in (OPTIONS[factor], text)]


def merged(*groups: Sequence[str]) -> list[str]:
    """Options of which later ones take the place of earlier ones: of parameters those of the same name."""
    found: dict[tuple[str, str], str] = {}
    for option, value in (pair for group in groups for pair in pairs(group)):
        found[option, value.partition("=")[0] if option == "--param" else ""] = value
    return [word for (option, _), value in found.items() for word in (option, value)]


def pairs(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values."""
    yield from zip(options[::2], options[1::2], strict=True)
