"""What a watch finds between nights: who answers, who goes away, and which comparison that asks for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from flows.evaluating.probing import judges_used, probed, why_not_asked
from flows.models.retirements import lifespans
from flows.requests import CompareRequest, WatchRequest
from flows.result import NOTHING_TOLD, RunResult, Told
from flows.run import Run, now
from flows.storing import store_records
from flows.telling.overseeing import oversee
from tasks.lifecycle.versions import VersionState, states
from tasks.records import Event, Lifespan
from tasks.storage import reads, sightings
from tasks.storage.reads import Version

MOVES = ("version_moved", "versions_mixed")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchResult:
    """Everything that is shown of a watch; `silent` are models that did not answer their probe, and why."""

    run_id: str
    calls: int
    cost_usd: float | None
    lifespans: tuple[Lifespan, ...]
    versions: tuple[Version, ...]
    states: tuple[VersionState, ...]
    events: tuple[Event, ...]
    silent: tuple[str, ...] = ()
    wanted: tuple[CompareRequest, ...] = ()
    compared: tuple[RunResult, ...] = ()
    told: Told = NOTHING_TOLD


async def probe_models(run: Run) -> None:
    """Ask every model of the config, and every judge in use, one thing."""
    judges = [judge.config for judge in judges_used(run.config, run.plan.suites)]
    for probe in await probed(run, [*run.config.models, *judges]):
        if reason := why_not_asked(probe):
            run.notes.append(f"{probe.key.model}: {reason}")


def look_ahead(run: Run, request: WatchRequest) -> WatchResult:
    """Put together what is known, and record that the watch ran."""
    ends = lifespans(run.file, run.plan.suites, now=now(), listings=run.listings)
    calls, cost_usd = reads.spent(run.results, run.id)[:2]
    wanted = tuple(comparisons_wanted(run, request, ends)) if request.compare else ()
    store_records(
        run,
        {
            "events": (*run.events, *(started(run, one) for one in wanted if one.baseline)),
            "runs": (run.record("finished", calls=calls, cost_usd=cost_usd),),
        },
    )
    seen = sightings.sightings(run.results)
    return WatchResult(
        run_id=run.id,
        calls=calls,
        cost_usd=cost_usd,
        lifespans=ends,
        versions=tuple(reads.model_versions(run.results)),
        states=states(seen),
        events=run.events,
        silent=tuple(run.notes),
        wanted=wanted,
    )


def tell(run: Run, result: WatchResult) -> WatchResult:
    """Tell what is new, with what the comparisons found that it asked for."""
    told = oversee(run, result.lifespans, result.events, result.compared)
    return replace(result, told=told)


def comparisons_wanted(run: Run, request: WatchRequest, ends: Sequence[Lifespan]) -> Iterator[CompareRequest]:
    """The comparisons to start: of a model whose version moved, and with a replacement that was never measured."""
    common = {"config": request.config, "results": request.results, "notify": True}
    for model in dict.fromkeys(event.model for event in run.events if event.kind in MOVES):
        if suites := tuple(comparable(run, model)):
            yield CompareRequest(candidate=model, suites=suites, **common)
    for row, suite, candidate in unmeasured(run, ends) if run.config.auto_compare else ():
        yield CompareRequest(candidate=candidate, baseline=row.model, suites=(suite,), **common)


def comparable(run: Run, model: str) -> Iterator[str]:
    """The suites on which a model has something to be compared with."""
    config, pinned = run.config.model_named(model), {(pin.suite, pin.model) for pin in reads.pins(run.results)}
    for suite in run.plan.suites if config else ():
        runs_there = suite.config.models is None or model in suite.config.models
        if runs_there and ((config and config.compare_to) or (suite.name, model) in pinned):
            yield suite.name


def unmeasured(run: Run, ends: Iterable[Lifespan]) -> Iterator[tuple[Lifespan, str, str]]:
    """The comparisons with replacements that were not started before, and that the budget pays for."""
    known = {(one.model, one.suite, one.now) for one in sightings.events(run.results) if one.kind == STARTED}
    left, watched = run.config.budget_usd, {suite.name for suite in run.plan.suites}
    for row in ends:
        for wanted in (one for one in row.wanted if one.suite in watched):
            affordable = left is None or (wanted.cost_usd is not None and wanted.cost_usd <= left)
            if affordable and (row.model, wanted.suite, (wanted.candidate,)) not in known:
                left = None if left is None else left - (wanted.cost_usd or 0)
                yield row, wanted.suite, wanted.candidate


STARTED = "comparison_started"


def started(run: Run, request: CompareRequest) -> Event:
    """The record that a comparison with a replacement was started, so that it is not started again."""
    return Event(
        run_id=run.id,
        model=str(request.baseline),
        suite=request.suites[0],
        kind="comparison_started",
        before=(),
        now=(request.candidate,),
        text=f"{request.candidate} is compared with {request.baseline} on {request.suites[0]}",
        noticed_at=now(),
    )
