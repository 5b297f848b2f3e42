"""When the models and judges of a run go away."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from flows.models.replacements import advice_for
from flows.planning.prepared import read_suites
from tasks.calls.prices import deprecation_date, map_provenance
from tasks.config import ModelConfig
from tasks.datasets.problems import Problems
from tasks.datasets.suites import suite_folders
from tasks.documents import ConfigFile
from tasks.errors import UsageError
from tasks.lifecycle import model_list
from tasks.lifecycle.announced import read_announced
from tasks.lifecycle.claims import (
    Announced,
    Answering,
    Claim,
    Listing,
    announced_claim,
    calls_claim,
    config_claim,
    list_claim,
    litellm_claim,
    names_of,
)
from tasks.lifecycle.retirement import retirement_table
from tasks.lifecycle.risk import risk_level
from tasks.records import Lifespan, Suite
from tasks.storage import sightings

Listings = Mapping[model_list.Source, Listing]


def lifespans(
    file: ConfigFile, suites: Iterable[Suite], *, now: datetime, listings: Listings | None = None
) -> tuple[Lifespan, ...]:
    """The retirement table of a config: models and judges, with the suites at risk and what may replace them.

    At risk are suites of the whole config; `suites` are those that the run has read already.
    """
    suites, config = suites_of_config(file, suites), file.config
    announced = read_announced(file.path.parent)
    table = retirement_table(
        config.models,
        config.judges,
        suites_by_model={model.name: suites_on(model, suites) for model in config.models},
        suites_by_judge=suites_by_judge(suites),
        claims_of=claims_reader(file, announced, listings or {}, now=now),
        notice_days=config.notice_days,
        today=now.date(),
    )
    going = frozenset(row.model for row in table if row.notice is not None)
    named = {model.name: entry for model in config.models for entry in announced if entry.model in names_of(model)}
    return tuple(
        with_advice(file, suites, row, going, named.get(row.model), now=now) if row.model in going else row
        for row in table
    )


def suites_of_config(file: ConfigFile, known: Iterable[Suite]) -> list[Suite]:
    """All suites of a config, also those that a run was not asked for; one that has mistakes by now is left out."""
    found = {suite.name: suite for suite in known}
    names = [folder.name for folder in suite_folders(file, (), Problems())]
    for name in names:
        if name not in found:
            with suppress(UsageError):
                found |= {suite.name: suite for suite in read_suites(file, (name,))}
    return [found[name] for name in dict.fromkeys([*names, *found]) if name in found]


def with_advice(
    file: ConfigFile,
    suites: Sequence[Suite],
    row: Lifespan,
    going: frozenset[str],
    announced: Announced | None,
    *,
    now: datetime,
) -> Lifespan:
    """A model that goes away soon, with what is known of its replacement."""
    if not row.suites:
        return row  # a judge's place is taken by one that was calibrated, not by one that answers well
    at_risk = [suite for suite in suites if suite.name in row.suites]
    advice, wanted = advice_for(file, at_risk, row.model, going=going, announced=announced, now=now)
    ready = advice.is_ready and not row.judged_suites
    risk = risk_level(row.days_left, file.config.notice_days, at_risk=True, is_ready=ready)
    return replace(row, replacement=advice.replacement, advice=advice.lines, risk=risk, wanted=tuple(wanted))


def claims_reader(
    file: ConfigFile, announced: Sequence[Announced], listings: Listings, *, now: datetime
) -> Callable[[ModelConfig], list[Claim]]:
    """What every source says of a model; of a simulated one only what people wrote counts."""
    seen = {(one.model, one.requested_model): Answering(*one[2:]) for one in sightings.answering(file.results)}

    def sources(model: ModelConfig) -> Iterator[Claim | None]:
        yield config_claim(model)
        yield from (announced_claim(entry) for entry in announced if entry.model in names_of(model))
        if model.is_rehearsal:
            return
        answering = seen.get((model.name, model.model), Answering(None, None))
        yield litellm_claim(deprecation_date(model), map_provenance())
        source = model_list.source_of(model, file.env)
        if source and source in listings:
            yield list_claim(listings[source], model, answering, now=now)
        yield calls_claim(answering)

    return lambda model: [claim for claim in sources(model) if claim]


async def ask_lists(file: ConfigFile) -> Listings:
    """The model lists of the providers that are known to have one; none where the config does not want them asked."""
    models = (*file.config.models, *file.config.judges) if file.config.model_lists else ()
    sources = [model_list.source_of(model, file.env) for model in models if not model.is_rehearsal]
    return await model_list.listings(source for source in sources if source)


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
