"""How long a whole night of 20 cases takes beside a stock Prefect flow that does nothing.

`python -m tests.bench.startup [ROUNDS]`. The programs take turns, so that whatever else the machine does falls on
all alike; only the ratios mean something elsewhere.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.serving.server import start_server

STOCK_FLOW = """
from prefect import flow

@flow
def nothing():
    pass

nothing()
"""
CONFIG = """
models:
  - {name: dawn-1, model: rehearsal/dawn, params: {latency_ms: 1}}
"""
SUITE = """
scorers: [exact]
gate: {baseline_trials: 1}
"""
CASES = 20
DAYBREAK = str(Path(sys.executable).with_name("daybreak"))


def main(rounds: int = 5) -> None:
    """Print the median of each program, and the ratios that are goals."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder, "home")) as url:
        medians = measure(Path(folder), url, rounds)
    for name, seconds in medians.items():
        print(f"{seconds:6.2f} s  {name}")
    for goal, one, other in (
        (0.7, "nightly, own server", "stock flow, temporary server"),
        (2.0, "nightly, server running", "stock flow, server running"),
    ):
        print(f"{medians[one] / medians[other]:6.2f}    {one} / {other} (goal: at most {goal})")


def measure(folder: Path, url: str, rounds: int) -> dict[str, float]:
    """Run each program `rounds` times in turn, after once to fill caches; returns medians in seconds."""
    write_workspace(folder)
    alone = environment(folder / "home")
    named = alone | {"PREFECT_API_URL": url}
    stock = [sys.executable, str(folder / "stock.py")]
    programs = {
        "daybreak --help": ([DAYBREAK, "--help"], alone),
        "stock flow, temporary server": (stock, alone),
        "nightly, own server": ([DAYBREAK, "nightly"], alone),
        "stock flow, server running": (stock, named),
        "nightly, server running": ([DAYBREAK, "nightly"], named),
    }
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, (command, env) in programs.items():
            seconds = timed(command, env, folder)
            if turn:
                taken[name].append(seconds)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def timed(command: list[str], env: dict[str, str], folder: Path) -> float:
    """Run a program to its end; returns seconds."""
    began = time.perf_counter()
    ended = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if ended.returncode:
        sys.exit(f"{command} ended with {ended.returncode}:\n{ended.stderr}")
    return seconds


def write_workspace(folder: Path) -> None:
    """Write the stock flow, and a suite of 20 cases on a rehearsal model."""
    suite = folder / "datasets" / "sums"
    suite.mkdir(parents=True)
    (folder / "deployments").mkdir()
    (folder / "stock.py").write_text(STOCK_FLOW)
    (folder / "deployments" / "daybreak.yaml").write_text(CONFIG)
    (suite / "suite.yaml").write_text(SUITE)
    cases = (f'{{"id": "{number}", "input": "{number} + 1", "expected": "{number + 1}"}}\n' for number in range(CASES))
    (suite / "cases.jsonl").write_text("".join(cases))


def environment(home: Path) -> dict[str, str]:
    """Name nothing but where Prefect's database is; both sides send no telemetry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return kept | {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}


@contextmanager
def running_server(home: Path) -> Iterator[str]:
    """Keep a server running, and its database migrated; gives its URL."""
    os.environ["PREFECT_HOME"] = str(home)
    server = start_server()
    server.wait_until_ready()
    try:
        yield server.url
    finally:
        server.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
