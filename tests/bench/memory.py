"""Whether memory stays flat as cases grow: the peak of whole nights, beyond what the imports take.

`python -m tests.bench.memory [CASES ...]` (2000 20000). A simulated model answers at once; a Prefect server is running,
so that a night is one process.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.startup import CONFIG, DAYBREAK, SUITE, environment, running_server
from tests.bench.workspace import case, write

NIGHT = """
import atexit, json, sys
from flows.cli import main
atexit.register(lambda: json.dump(list(sys.modules), open("modules.json", "w")))
main(["nightly"])
"""
"""A night that leaves behind what it has imported, the first first."""

IMPORTS = """
import importlib, json, resource
from contextlib import suppress
from flows import runtime
from tasks.calls import provider
runtime.adapt_environment()
with runtime.collector_off():
    provider.load()
    for name in json.load(open("modules.json")):
        with suppress(ImportError):
            importlib.import_module(name)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""The same modules, and nothing else."""

GROWTH = (2_000, 20_000)


def main(*growth: int) -> None:
    """Print the peak of each size and its ratio to the smallest one."""
    sizes = growth or GROWTH
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder, "home")) as url:
        env = environment(Path(folder, "home")) | {"PREFECT_API_URL": url}
        own = imports_mb(Path(folder, "imports"), env)
        peaks = [peak_mb(Path(folder, str(cases)), cases, env) for cases in sizes]
    print(f"{own:.0f} MB for the imports alone")
    for cases, peak in zip(sizes, peaks, strict=True):
        ratio = (peak - own) / (peaks[0] - own)
        print(f"{cases:8,} cases {peak:6.0f} MB at most, {peak - own:4.0f} beyond: {ratio:5.2f} x")


def imports_mb(root: Path, env: dict[str, str]) -> float:
    """Import what a small night has imported, in a process of its own; returns what that takes, in MB."""
    write_night(root, 20)
    subprocess.run([sys.executable, "-c", NIGHT], env=env, cwd=root, capture_output=True)
    ended = subprocess.run([sys.executable, "-c", IMPORTS], env=env, cwd=root, capture_output=True, check=True)
    return int(ended.stdout) / 1000


def write_night(root: Path, cases: int) -> None:
    """A suite of so many cases on a simulated model."""
    write(root / "deployments" / "daybreak.yaml", CONFIG)
    write(root / "datasets" / "sums" / "suite.yaml", SUITE)
    write(root / "datasets" / "sums" / "cases.jsonl", "".join(map(case, range(cases))))


def peak_mb(root: Path, cases: int, env: dict[str, str]) -> float:
    """Run a night and return the most memory that its process held at once, in MB."""
    write_night(root, cases)
    process = subprocess.Popen(
        [DAYBREAK, "nightly"], env=env, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    told = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"a night of {cases} cases ended with {process.returncode}:\n{told.decode()}")
    return used.ru_maxrss / 1000


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
