"""The scripted provider in a process of its own, as benchmarks ask it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Stats(NamedTuple):
    """What the provider has seen so far, and the CPU seconds it took."""

    requests: int
    rejected: int
    most_at_once: int
    cpu_s: float


@contextmanager
def provider_process(
    *, latency_ms: float, requests_per_second: float | None = None, silent: bool = False
) -> Iterator[str]:
    """Serve until left; gives the `api_base`. A silent one does not tell its limit."""
    command = [sys.executable, "-m", "tests.fakes.provider", "--latency-ms", str(latency_ms)]
    if requests_per_second:
        command += ["--requests-per-second", str(requests_per_second), *(["--silent"] if silent else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def stats_of(url: str) -> Stats:
    """Ask a provider what it has seen."""
    with urllib.request.urlopen(f"{url.removesuffix('/v1')}/stats") as answer:
        return Stats(**json.load(answer))
