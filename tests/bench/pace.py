"""How well the pace fits a provider that allows 100 requests a second, and what latency it sees of one that is free.

`python -m tests.bench.pace [CASES [ROUNDS]]`. The server is a process of its own; each run begins cold.
"""

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from flows import runtime
from flows.evaluating.rounds import open_round
from flows.planning.prepared import prepare_night
from flows.requests import NightRequest
from flows.run import now, open_run
from tasks.calls import provider
from tasks.calls.journal import read_trials
from tasks.datasets.stored import store_cases
from tasks.plan import shards, stored_cases
from tests.bench.provider import provider_process, stats_of
from tests.bench.workspace import write_workspace

ALLOWED_PER_SECOND = 100
TOLD = "    limits: {requests_per_minute: 6000}\n"


class Paced(NamedTuple):
    """What came of a run."""

    seconds: float
    rejected: int
    unmeasured: int
    p95_ms: float
    reliable: bool


def main(cases: int = 2000, rounds: int = 3) -> None:
    """Print a row for each way of running: its medians, and whether any latency was called unreliable."""
    with runtime.collector_off():
        provider.load()
    limit_s = cases / ALLOWED_PER_SECOND
    print(f"{cases} cases; medians of {rounds}")
    for name, told, silent, latency_ms, per_second in (
        ("100/s, written", True, True, 200, ALLOWED_PER_SECOND),
        ("100/s, in headers", False, False, 200, ALLOWED_PER_SECOND),
        ("100/s, unknown", False, True, 200, ALLOWED_PER_SECOND),
        ("no limit", False, True, 200, None),
        ("no limit, 1 s", False, True, 1000, None),
    ):
        runs = []
        for _ in range(rounds):
            with provider_process(latency_ms=latency_ms, requests_per_second=per_second, silent=silent) as url:
                runs.append(asyncio.run(measure(url, cases, told=told)))
        seconds, rejected, unmeasured, p95_ms, trusted = map(median, zip(*runs, strict=True))
        against = f"{seconds / limit_s:5.2f} x the limit's time" if per_second else f"{cases / seconds:5.0f}/s"
        print(
            f"{name:18} {seconds:6.1f} s  {against:25} {100 * rejected / cases:5.1f} % rejected, "
            f"{unmeasured:.0f} unmeasured; p95 {p95_ms:.0f} ms{'' if trusted == 1 else ', marked not reliable'}"
        )


async def measure(url: str, cases: int, *, told: bool) -> Paced:
    """Evaluate all cases once."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_workspace(root, url, cases=cases, in_flight=100, more=TOLD if told else "")
        request = NightRequest(config=str(root / "deployments" / "daybreak.yaml"))
        prepared = replace(prepare_night(request, now=now()), say=lambda _: None)
        [suite], [cell] = prepared.plan.suites, prepared.plan.cells
        store_cases(suite, stored_cases(prepared.file.results, suite))
        with open_run(prepared) as run:
            work = list(shards(cell, cases))
            async with open_round(run, work) as evaluation:
                began = time.perf_counter()
                await asyncio.gather(*map(evaluation.shard, work))
                seconds = time.perf_counter() - began
            trials = list(read_trials(run.folder.journals(), torn=[]))
            latencies = [call.latency_ms for trial in trials for call in trial.calls if call.latency_ms is not None]
            return Paced(
                seconds,
                stats_of(url).rejected,
                sum(trial.outcome is None or trial.outcome.outcome == "unmeasured" for trial in trials),
                quantiles(latencies, n=20)[-1],
                not run.unreliable_latency,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
