"""The programs that a throughput benchmark compares, each in a process of its own that waits for its turn.

`python -m tests.bench.contenders NAME FOLDER URL CASES IN_FLIGHT` loads what it needs, says `ready`, and then for each
line on stdin does all cases once and prints a JSON object with the seconds and the CPU seconds that it took.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

INSTRUCTIONS = "Say by the rubric whether the answer passes, as JSON: reasoning, verdict, confidence. " * 8
"""About as long as what our judge is told."""

Turn = Callable[[Any], Awaitable[None]]
Prepare = Callable[[], Any]


async def take_turns(turn: Turn, prepare: Prepare = lambda: None) -> None:
    """For each line on stdin prepare, and then take a turn with what was prepared, timed."""
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        prepared = prepare()
        began, began_cpu = time.perf_counter(), time.process_time()
        await turn(prepared)
        taken = {"seconds": time.perf_counter() - began, "cpu_s": time.process_time() - began_cpu}
        print(json.dumps(taken), flush=True)


def bare_loop(url: str, cases: int, in_flight: int, *, judged: bool = False) -> Turn:
    """What a person would write: litellm.acompletion behind a semaphore, nothing kept; `judged` by a second call."""
    import litellm

    async def ask(model: str, system: str, user: str) -> str:
        answer: Any = await litellm.acompletion(
            model=model,
            messages=[{"role": "system", "content": system}, {"role": "user", "content": user}],
            api_base=url,
            api_key="not-a-real-key",
            temperature=0,
            max_retries=0,
            timeout=60,
        )
        return str(answer.choices[0].message.content)

    async def turn(_: Any) -> None:
        room = asyncio.Semaphore(in_flight)

        async def do(number: int) -> None:
            question = f"Is question {number} fine?"
            async with room:
                output = await ask("openai/bench", "Answer with one word.", question)
            if judged:
                rubric = f"Is this a good answer to {question}?\n\n{output}"
                async with room:
                    json.loads(await ask("openai/judge", INSTRUCTIONS, rubric))

        await asyncio.gather(*map(do, range(cases)))

    return turn


async def evaluated(prepared: Any) -> None:
    """Run a plan without Prefect: asked, scored, journaled and stored."""
    from flows.evaluating.probing import probe_judges
    from flows.evaluating.rounds import open_round
    from flows.run import open_run
    from flows.storing import store_trials
    from tasks.datasets.stored import store_cases
    from tasks.plan import shards, stored_cases

    [suite], [cell] = prepared.plan.suites, prepared.plan.cells
    store_cases(suite, stored_cases(prepared.file.results, suite))
    work = list(shards(cell, suite.n_cases, workers=prepared.file.config.workers))
    with open_run(prepared) as run:
        await probe_judges(run)
        async with open_round(run, work) as evaluation:
            await asyncio.gather(*map(evaluation.shard, work))
        await asyncio.to_thread(store_trials, run)


async def evaluated_by_workers(prepared: Any) -> None:
    """The same by workers, which were there before."""
    await evaluated(prepared)
    prepared.crew.end()


def with_workers(prepare: Prepare) -> Prepare:
    """Plan a run, and have its workers load what they need."""
    from flows.workers.crew import Crew

    def prepared() -> Any:
        crew = Crew(2)
        crew.wait_until_loaded()
        planned = prepare()
        config = planned.file.config.model_copy(update={"workers": crew.size})
        return replace(planned, file=replace(planned.file, config=config), crew=crew)

    return prepared


def night_steps() -> Turn:
    """The same as the steps of a Prefect flow."""
    from prefect import flow

    from flows import steps
    from flows.run import open_run

    @flow(validate_parameters=False)
    async def night(prepared: Any) -> None:
        with open_run(prepared) as run:
            await steps.pull_datasets(run)
            await steps.evaluate_cells(run)
            await steps.store_trials(run)

    return night


def preparation(root: Path) -> Prepare:
    """Plan a run in the workspace, which is no part of what is timed."""
    from flows.planning.prepared import prepare_night
    from flows.requests import NightRequest
    from flows.run import now

    request = NightRequest(config=str(root / "deployments" / "daybreak.yaml"))

    def prepare() -> Any:
        for kept in (root / "results").glob("judge-verdicts.sqlite*"):
            kept.unlink()
        return replace(prepare_night(request, now=now()), say=lambda _: None)

    return prepare


def main(name: str, folder: str, url: str, cases: str, in_flight: str) -> None:
    """Load what the program needs, and take turns."""
    if name in {"bare loop", "bare, two calls"}:
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        judged = name == "bare, two calls"
        asyncio.run(take_turns(bare_loop(url, int(cases), int(in_flight), judged=judged)))
        return
    from flows import runtime
    from tasks.calls import provider

    if name == "night's steps":
        runtime.prepare(provider.load)
        asyncio.run(take_turns(night_steps(), preparation(Path(folder))))
        return
    with runtime.collector_off():
        provider.load()
    if name in {"evaluate", "evaluate, judged"}:
        asyncio.run(take_turns(evaluated, preparation(Path(folder))))
    elif name == "two workers":
        asyncio.run(take_turns(evaluated_by_workers, with_workers(preparation(Path(folder)))))
    else:
        asyncio.run(take_turns(bare_loop(url, int(cases), int(in_flight))))


if __name__ == "__main__":
    main(*sys.argv[1:])
