"""The steps of a run as Prefect tasks: thin wrappers, so that Prefect shows what happened and how long it took."""

import asyncio
from dataclasses import replace

from prefect import task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows import storing
from flows.comparing import confirming, verdicts
from flows.evaluating import probing
from flows.evaluating.evaluation import Evaluation
from flows.evaluating.rounds import open_round
from flows.judges import rejudging
from flows.models import model_events, watching
from flows.models.prefect_events import announce, ask_for_comparison
from flows.models.retirements import ask_lists
from flows.models.watching import WatchResult
from flows.requests import WatchRequest
from flows.result import RunResult, headline
from flows.run import Run
from flows.signals import until_stopped
from flows.telling import notifying, reporting
from flows.terminal.artifact import artifact_rows, artifact_text, retirement_rows, version_rows
from flows.workers.crew import Crew
from tasks.datasets.stored import store_cases
from tasks.errors import DaybreakError
from tasks.plan import Shard, in_turns, most_at_once, shards, stored_cases


async def pull_datasets(run: Run) -> None:
    """Keep the cases of every suite as they are now."""

    @task(name="pull datasets", cache_policy=NO_CACHE)
    async def pull() -> None:
        for suite in run.plan.suites:
            await asyncio.to_thread(store_cases, suite, stored_cases(run.results, suite))

    await pull()


async def probe_judges(run: Run) -> None:
    """Learn which version of each judge answers tonight."""

    @task(name="probe judges", cache_policy=NO_CACHE)
    async def probe() -> None:
        await until_stopped(asyncio.ensure_future(probing.probe_judges(run)), run.stop)

    await probe()


async def probe_models(run: Run) -> None:
    """Learn which version of each model answers now."""

    @task(name="probe models", cache_policy=NO_CACHE)
    async def probe() -> None:
        await until_stopped(asyncio.ensure_future(watching.probe_models(run)), run.stop)

    await probe()


async def evaluate_cells(run: Run) -> None:
    """Ask everything that is planned."""
    cells = ((cell, run.plan.suite_named(cell.suite).n_cases) for cell in run.plan.cells)
    cell_by_cell = [shard for cell, n in cells for shard in shards(cell, n, workers=run.config.workers)]
    await evaluate(run, in_turns(run.plan) if run.plan.flow == "compare" else cell_by_cell)


async def judge_baselines_again(run: Run) -> None:
    """Have the stored answers of baselines judged as tonight's are, where judges, rubrics or labels changed."""

    @task(name="judge baselines again", cache_policy=NO_CACHE)
    async def judge() -> bool:
        return await rejudging.judge_baselines_again(run)

    if not run.stop.is_set() and rejudging.may_be_needed(run) and await judge():
        await store_trials(run)


async def notice(run: Run) -> None:
    """Record which versions moved and which prompts drifted, and let Prefect know."""

    @task(name="notice", cache_policy=NO_CACHE)
    async def look() -> None:
        run.events = await asyncio.to_thread(model_events.notice, run)
        run.listings = await ask_lists(run.file) if run.plan.flow != "compare" else {}

    if not run.stop.is_set():
        await look()
        for event in run.events:
            announce(event, noticed_by=run.plan.flow)


async def confirm_suspicions(run: Run) -> None:
    """Ask again what is suspected, until each suspicion is decided or has had all its trials."""

    @task(name="suspect", cache_policy=NO_CACHE, persist_result=False)
    async def suspect() -> list[Shard]:
        return await asyncio.to_thread(confirming.shards_to_confirm, run)

    while not run.stop.is_set() and (wanted := await suspect()):
        run.expect(sum(shard.n_trials for shard in wanted))
        await evaluate(run, wanted)
        await store_trials(run)


async def evaluate(run: Run, work: list[Shard]) -> None:
    """Evaluate shards, one task each; one that breaks leaves its cell unmeasured and the rest alone."""
    if not run.stop.is_set():
        async with open_round(run, work) as evaluator:
            await evaluate_shards(run, evaluator, work)


async def evaluate_shards(run: Run, evaluator: Evaluation | Crew, work: list[Shard]) -> None:
    """One Prefect task for each shard, begun in turn."""
    most = most_at_once(work, concurrency=run.config.concurrency, workers=run.config.workers)
    turns = {model: asyncio.Semaphore(shards) for model, shards in most.items()}

    @task(name="evaluate", task_run_name="{shard}", cache_policy=NO_CACHE)
    async def evaluate_one(shard: Shard) -> None:
        await evaluator.shard(shard)

    async def in_turn(shard: Shard) -> None:
        async with turns[shard.model]:
            await evaluate_one(shard)

    ended = await asyncio.gather(*map(in_turn, work), return_exceptions=True)
    for shard, error in zip(work, ended, strict=True):
        if isinstance(error, DaybreakError | asyncio.CancelledError):
            raise error
        if isinstance(error, BaseException):
            run.broken_cells[shard.suite, shard.model] = f"evaluating {shard} broke: {error!r}"


async def store_trials(run: Run) -> None:
    """Turn the journal into Parquet parts and bring them into the warehouse."""

    @task(name="store trials", cache_policy=NO_CACHE)
    async def store() -> None:
        await asyncio.to_thread(storing.store_trials, run)

    await store()


async def compare_cells(run: Run) -> RunResult:
    """Compare every cell with its baseline and store what came out."""

    @task(name="compare", cache_policy=NO_CACHE, persist_result=False)
    async def compare() -> RunResult:
        return await asyncio.to_thread(verdicts.compare_cells, run)

    return await compare()


async def report(run: Run, result: RunResult) -> RunResult:
    """Write the page of the run."""

    @task(name="report", cache_policy=NO_CACHE, persist_result=False)
    async def write() -> RunResult:
        page = await asyncio.to_thread(reporting.report_run, run, result)
        return replace(result, report=page)

    return result if run.stop.is_set() else await write()


async def notify(run: Run, result: RunResult) -> RunResult:
    """Tell Slack, or leave the messages to be printed."""

    @task(name="notify", cache_policy=NO_CACHE, persist_result=False)
    async def tell() -> RunResult:
        return await asyncio.to_thread(told, run, result)

    return result if run.stop.is_set() else await tell()


def told(run: Run, result: RunResult) -> RunResult:
    """A result with what became of its messages; the page says so where Slack has not got them."""
    is_night = run.plan.flow == "nightly"
    result = replace(result, told=notifying.tell(run) if is_night else notifying.tell_of_comparison(run, result))
    if result.told.undelivered:
        reporting.report_run(run, replace(result, notes=(*result.notes, *result.told.notes)))
    return result


async def show_table(run: Run, result: RunResult) -> None:
    """Keep the result table where Prefect shows it, and say how the run ended."""
    run.say(f"{run.id}: {run.plan.flow} ended: {headline(result)}")
    await acreate_table_artifact(key="cells", table=artifact_rows(result), description=artifact_text(result))


async def look_ahead(run: Run, request: WatchRequest) -> WatchResult:
    """Put together what a watch knows."""

    @task(name="look ahead", cache_policy=NO_CACHE, persist_result=False)
    async def look() -> WatchResult:
        return await asyncio.to_thread(watching.look_ahead, run, request)

    return await look()


async def start_comparisons(result: WatchResult, *, by_event: bool) -> WatchResult:
    """Start what a watch wants compared: by an event, or at once, one after the other."""
    from flows.compare import compare

    if by_event:
        for request in result.wanted:
            ask_for_comparison(request, run_id=result.run_id)
        return result
    ended = [await compare(request, return_state=True) for request in result.wanted]
    found = [await state.aresult(raise_on_failure=False) for state in ended]
    return replace(result, compared=tuple(one for one in found if isinstance(one, RunResult)))


async def tell_watch(run: Run, result: WatchResult) -> WatchResult:
    """Tell what is new."""

    @task(name="notify", cache_policy=NO_CACHE, persist_result=False)
    async def tell() -> WatchResult:
        return await asyncio.to_thread(watching.tell, run, result)

    return await tell()


async def show_watch(result: WatchResult) -> None:
    """Keep the tables of a watch where Prefect shows them."""
    await acreate_table_artifact(key="retirements", table=retirement_rows(result.lifespans))
    await acreate_table_artifact(key="model-versions", table=version_rows(result.versions))
