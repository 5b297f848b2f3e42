"""When the models and judges of a run go away."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from tasks.calls.prices import deprecation_date
from tasks.config import Config, ModelConfig
from tasks.lifecycle.retirement import retirement_table
from tasks.records import Lifespan, Suite


def lifespans(config: Config, suites: Iterable[Suite], *, today: date) -> tuple[Lifespan, ...]:
    """The retirement table of a config: models and judges, with the suites at risk."""
    suites = list(suites)
    return retirement_table(
        config.models,
        config.judges,
        suites_by_model={model.name: suites_on(model, suites) for model in config.models},
        suites_by_judge=suites_by_judge(suites),
        known_date=deprecation_date,
        notice_days=config.notice_days,
        today=today,
    )


def suites_on(model: ModelConfig, suites: Sequence[Suite]) -> list[str]:
    """The suites that run on a model."""
    return [suite.name for suite in suites if suite.config.models is None or model.name in suite.config.models]


def suites_by_judge(suites: Sequence[Suite]) -> Mapping[str, list[str]]:
    """The suites that each judge judges."""
    found: dict[str, list[str]] = {}
    for suite in suites:
        judges = {judge for scorer in suite.config.scorers if scorer.type == "judge" for judge in scorer.judges}
        for judge in judges:
            found.setdefault(judge, []).append(suite.name)
    return found
