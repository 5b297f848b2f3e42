"""How long `daybreak nightly` takes from command to exit, beside promptfoo and Inspect AI on the same work.

`python -m tests.bench.whole_night [CASES [ROUNDS]]`. The provider is a process of its own that answers after 200 ms; a
Prefect server runs already, but for the row that says otherwise. The programs take turns.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.bench.peers import PEERS, Peer, environment_of_peers
from tests.bench.provider import provider_process, stats_of
from tests.bench.startup import DAYBREAK, environment, running_server
from tests.bench.throughput import IN_FLIGHT, LATENCY_MS
from tests.bench.workspace import write_workspace


class Whole(NamedTuple):
    """What a program took from command to exit, its children's memory left out."""

    seconds: float
    peak_mb: float


class Night(NamedTuple):
    """One way of running our own."""

    name: str
    workers: int
    own_server: bool = False


NIGHTS = (Night("workers: 1", 1), Night("workers: 2", 2), Night("workers: 2, own server", 2, own_server=True))


def main(cases: int = 5000, rounds: int = 3) -> None:
    """Print the medians."""
    peers = {peer: program for peer in PEERS if (program := peer.program())}
    names = [*(night.name for night in NIGHTS), *(peer.name for peer in peers)]
    taken: dict[str, list[Whole]] = {name: [] for name in names}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder, "home")) as prefect,
        provider_process(latency_ms=LATENCY_MS) as url,
    ):
        env = environment(Path(folder, "home"))
        for number in range(rounds):
            for night in NIGHTS:
                root = Path(folder, f"{night.name}-{number}")
                named = env if night.own_server else env | {"PREFECT_API_URL": prefect}
                taken[night.name].append(of_night(night, root, url, cases, named))
            for peer, program in peers.items():
                taken[peer.name].append(of_peer(peer, program, Path(folder, f"{peer.name}-{number}"), url, cases))
    print(f"whole process, {cases} cases, {LATENCY_MS} ms each, {IN_FLIGHT} in flight; medians of {rounds}")
    for name, wholes in taken.items():
        seconds, peak_mb = map(statistics.median, zip(*wholes, strict=True))
        ratios = "".join(f"{times_as_fast(wholes, taken[peer.name]):6.2f} x {peer.name}" for peer in peers)
        print(f"{seconds:8.1f} s {cases / seconds:6.0f}/s {peak_mb:6.0f} MB  {name:24}{ratios}")


def times_as_fast(ones: list[Whole], others: list[Whole]) -> float:
    """The median ratio within a round."""
    return statistics.median(other.seconds / one.seconds for one, other in zip(ones, others, strict=True))


def of_night(night: Night, root: Path, url: str, cases: int, env: Mapping[str, str]) -> Whole:
    """Run ours once."""
    write_workspace(root, url, cases=cases, in_flight=IN_FLIGHT, before=f"workers: {night.workers}\n")
    return whole([DAYBREAK, "nightly"], env, root, url, cases)


def of_peer(peer: Peer, program: str, root: Path, url: str, cases: int) -> Whole:
    """Run another's once."""
    peer.write(root, url, cases, IN_FLIGHT)
    env = os.environ | environment_of_peers(root, url)
    return whole([program, *peer.arguments(IN_FLIGHT)], env, root, url, cases)


def whole(command: list[str], env: Mapping[str, str], root: Path, url: str, cases: int) -> Whole:
    """Run a program to its end; it must have asked about every case."""
    asked, began = stats_of(url).requests, time.perf_counter()
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(command, env=dict(env), cwd=root, stdout=log, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or stats_of(url).requests - asked < cases:
        sys.exit(f"{command} ended with {process.returncode}:\n{(root / 'log').read_text('utf-8', 'replace')[-2000:]}")
    return Whole(seconds, used.ru_maxrss / 1000)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
