"""How long `daybreak nightly` takes from command to exit, with one process and with two workers.

`python -m tests.bench.whole_night [CASES [ROUNDS]]`. The provider is a process of its own that answers after 200 ms; a
Prefect server runs already. The programs take turns.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench.provider import provider_process
from tests.bench.startup import DAYBREAK, environment, running_server, timed
from tests.bench.throughput import IN_FLIGHT, LATENCY_MS
from tests.bench.workspace import write_workspace


def main(cases: int = 5000, rounds: int = 3) -> None:
    """Print the medians."""
    taken: dict[int, list[float]] = {1: [], 2: []}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder, "home")) as prefect,
        provider_process(latency_ms=LATENCY_MS) as url,
    ):
        env = environment(Path(folder, "home")) | {"PREFECT_API_URL": prefect}
        for number in range(rounds):
            for workers, seconds in taken.items():
                root = Path(folder, f"{workers}-{number}")
                before = f"workers: {workers}\n"
                write_workspace(root, url, cases=cases, in_flight=IN_FLIGHT, before=before)
                seconds.append(timed([DAYBREAK, "nightly"], env, root))
    print(f"whole process, {cases} cases, {LATENCY_MS} ms each, {IN_FLIGHT} in flight; medians of {rounds}")
    for workers, seconds in taken.items():
        median = statistics.median(seconds)
        print(f"{median:8.1f} s  {cases / median:6.0f}/s  workers: {workers}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
