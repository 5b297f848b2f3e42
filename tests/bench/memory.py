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

IMPORTS = """
import resource
from flows import runtime
from tasks.calls import provider
runtime.adapt_environment()
with runtime.collector_off():
    import prefect.artifacts, prefect.main
    provider.load()
import flows.nightly, duckdb, jinja2, matplotlib.figure, pyarrow.parquet, scipy.special, scipy.stats
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""What every night loads, and nothing else."""

GROWTH = (2_000, 20_000)


def main(*growth: int) -> None:
    """Print the peak of each size and its ratio to the smallest one."""
    sizes = growth or GROWTH
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder, "home")) as url:
        env = environment(Path(folder, "home")) | {"PREFECT_API_URL": url}
        own = (
            int(subprocess.run([sys.executable, "-c", IMPORTS], env=env, capture_output=True, check=True).stdout) / 1000
        )
        peaks = [peak_mb(Path(folder, str(cases)), cases, env) for cases in sizes]
    print(f"{own:.0f} MB for the imports alone")
    for cases, peak in zip(sizes, peaks, strict=True):
        ratio = (peak - own) / (peaks[0] - own)
        print(f"{cases:8,} cases {peak:6.0f} MB at most, {peak - own:4.0f} beyond: {ratio:5.2f} x")


def peak_mb(root: Path, cases: int, env: dict[str, str]) -> float:
    """Run a night and return the most memory that its process held at once, in MB."""
    write(root / "deployments" / "daybreak.yaml", CONFIG)
    write(root / "datasets" / "sums" / "suite.yaml", SUITE)
    write(root / "datasets" / "sums" / "cases.jsonl", "".join(map(case, range(cases))))
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
