"""Who costs money in a run, and how much a call of theirs may cost: what a budget has to know before it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from tasks.calls.prices import highest_price_of, max_output_tokens
from tasks.config import Config, JudgeScorer, ModelConfig, Price
from tasks.documents import ConfigFile
from tasks.errors import Problem
from tasks.records import Suite

FREE = Price(input_per_million=0, output_per_million=0)


class Payer(NamedTuple):
    """A model or judge, with the params of each suite that asks it."""

    model: ModelConfig
    params: Sequence[Mapping[str, object]]

    @property
    def price(self) -> Price | None:
        """The most that its tokens may cost; a simulated model without a price costs nothing."""
        tiered = any("service_tier" in params for params in self.params)
        return highest_price_of(self.model, tiered=tiered) or (FREE if self.model.is_rehearsal else None)

    @property
    def is_bounded(self) -> bool:
        """True where the params limit the length of every answer."""
        return all(params.get("max_tokens") or params.get("max_completion_tokens") for params in self.params)

    @property
    def most_answer_tokens(self) -> int | None:
        """How long an answer may be where the params do not say; None where nobody knows."""
        return 0 if self.is_bounded or self.price == FREE else max_output_tokens(self.model)


def payer_name(model: ModelConfig) -> str:
    """A name of its own: a judge may be called like a model."""
    return f"{model.name} {model.model}"


def payers_of(config: Config, suites: Sequence[Suite], models: Collection[str] | None = None) -> Iterator[Payer]:
    """The models that suites run on, or those that are named, and the judges that suites ask."""
    for model in config.models:
        asked_by = [suite for suite in suites if is_asked(model.name, suite, models)]
        if asked_by:
            yield Payer(model, [{**model.params, **suite.config.params} for suite in asked_by])
    scorers = [scorer for suite in suites for scorer in suite.config.scorers if isinstance(scorer, JudgeScorer)]
    judges = {judge for scorer in scorers for judge in scorer.judges}
    yield from (Payer(judge, [judge.params]) for judge in config.judges if judge.name in judges)


def is_asked(model: str, suite: Suite, models: Collection[str] | None) -> bool:
    """True when a suite runs on a model."""
    if models is not None:
        return model in models
    return suite.config.models is None or model in suite.config.models


def budget_problems(
    file: ConfigFile, suites: Sequence[Suite], models: Collection[str] | None = None
) -> Iterator[Problem]:
    """Why the budget could not be kept."""
    for payer in payers_of(file.config, suites, models) if file.config.budget_usd is not None else ():
        if payer.price is None:
            message = f"{payer.model.name!r} has no known price, so budget_usd could not be kept"
            yield Problem(
                file.place_of(payer.model), message, "give it a `price`, or a `base_model` that litellm knows"
            )
        elif payer.most_answer_tokens is None:
            message = f"{payer.model.name!r} may answer at any length, so budget_usd could not be kept"
            yield Problem(file.place_of(payer.model), message, "set max_tokens in its params")


def budget_warnings(file: ConfigFile, suites: Sequence[Suite], models: Collection[str] | None = None) -> Iterator[str]:
    """What lets a budget pay for less than it could."""
    for payer in payers_of(file.config, suites, models) if file.config.budget_usd is not None else ():
        if payer.most_answer_tokens:
            tokens = payer.most_answer_tokens
            yield f"{payer.model.name} has no max_tokens: the budget reserves {tokens} tokens for each answer"


def price_warnings(file: ConfigFile, suites: Sequence[Suite]) -> Iterator[str]:
    """Whose calls will have no cost."""
    for payer in payers_of(file.config, suites):
        if payer.price is None:
            yield f"{payer.model.name} has no known price, so its cost will be NULL: set `price` or `base_model`"
