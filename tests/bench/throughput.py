"""Evaluating against a bare litellm loop: the same cases, the same server, taking turns.

`python -m tests.bench.throughput [CASES [ROUNDS]]`. The server is a process of its own on the same machine, and answers
after 200 ms; each program has 100 requests in flight. Only the ratios mean something elsewhere.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.provider import provider_process, stats_of
from tests.bench.workspace import write_judged_workspace, write_workspace

LATENCY_MS = 200
IN_FLIGHT = 100
BASE = "bare loop"
JUDGED = ("bare, two calls", "evaluate, judged")
CONTENDERS = (BASE, "bare loop, tuned", "evaluate", "two workers", "night's steps")


class Taken(NamedTuple):
    """What one turn took."""

    seconds: float
    cpu_s: float
    provider_cpu_s: float


class Contender(NamedTuple):
    """A program that waits for its turns."""

    name: str
    process: "subprocess.Popen[str]"

    def turn(self, url: str) -> Taken:
        """Let it do all cases once."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        before = stats_of(url).cpu_s
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        taken = json.loads(self.process.stdout.readline())
        return Taken(taken["seconds"], taken["cpu_s"], stats_of(url).cpu_s - before)


def main(cases: int = 1000, rounds: int = 3) -> None:
    """Print the medians of each program beside those of the bare loop."""
    with ExitStack() as stack:
        url = stack.enter_context(provider_process(latency_ms=LATENCY_MS))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_workspace(folder, url, cases=cases, in_flight=IN_FLIGHT)
        show(played(stack, folder, url, cases, rounds, CONTENDERS), cases)


def judged(cases: int = 500, rounds: int = 3) -> None:
    """The same where each answer is judged: a night may take at most 1/.85 of a bare loop that makes both calls."""
    with ExitStack() as stack:
        url = stack.enter_context(provider_process(latency_ms=LATENCY_MS))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_judged_workspace(folder, url, cases=cases, in_flight=IN_FLIGHT)
        show(played(stack, folder, url, cases, rounds, JUDGED), cases, base=JUDGED[0])


def played(
    stack: ExitStack, folder: Path, url: str, cases: int, rounds: int, names: Sequence[str]
) -> dict[str, list[Taken]]:
    """Let programs take turns; the first turn of each warms it up."""
    contenders = [stack.enter_context(started(name, folder, url, cases)) for name in names]
    turns: dict[str, list[Taken]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for contender in contenders:
            taken = contender.turn(url)
            if number:
                turns[contender.name].append(taken)
    return turns


def show(turns: dict[str, list[Taken]], cases: int, *, base: str = BASE) -> None:
    """Print the table; ratios are medians over the rounds, each program against the base in the same round."""
    medians = {name: Taken(*map(statistics.median, zip(*taken, strict=True))) for name, taken in turns.items()}
    print(f"{cases} cases, {LATENCY_MS} ms each, {IN_FLIGHT} in flight; medians of {len(turns[base])} turns")
    print(f"{'':18}{'answers/s':>10}{'x bare':>8}{'CPU ms/answer':>15}{'server ms/answer':>18}")
    for name, taken in medians.items():
        pairs = zip(turns[base], turns[name], strict=True)
        ratio = statistics.median(bare.seconds / one.seconds for bare, one in pairs)
        print(
            f"{name:18}{cases / taken.seconds:10.0f}{ratio:8.2f}"
            f"{1000 * taken.cpu_s / cases:15.2f}{1000 * taken.provider_cpu_s / cases:18.2f}"
        )


@contextmanager
def started(name: str, folder: Path, url: str, cases: int) -> Iterator[Contender]:
    """Start a program and wait until it has loaded what it needs."""
    command = [sys.executable, "-m", "tests.bench.contenders", name, str(folder), url, str(cases), str(IN_FLIGHT)]
    env = os.environ | {"PREFECT_HOME": str(folder / "prefect"), "DO_NOT_TRACK": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Contender(name, process)
        process.communicate()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
