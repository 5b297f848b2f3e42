"""How long the pages of a large night take, and how large they are: 100 cells of 100 cases, of which ten flipped."""

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.reports.write import write_report
from tests.reports.sample_pages import SMALL, large_night, sample_history, sample_latencies

CELLS, FLIPS, WORDS, NIGHTS = 100, 10, 60, 60


def main() -> None:
    """Print seconds (the first run imports matplotlib), the largest page and all of them."""
    names = [f"suite-{number:03}" for number in range(CELLS)]
    page = replace(
        large_night(cells=CELLS, flips=FLIPS, words=WORDS),
        history=tuple(night for name in names for night in sample_history(name, SMALL, nights=NIGHTS)),
        latencies=tuple(one for name in names for one in sample_latencies(name, SMALL)),
    )
    print(f"\n{'pages of a night, 100 cells × 100 cases':<45} {'seconds':>8} {'CPU':>6} {'largest':>9} {'all':>8}")
    for turn in ("first in a process", "again"):
        with TemporaryDirectory() as folder:
            began, began_cpu = time.perf_counter(), time.process_time()
            first = write_report(Path(folder), page)
            took, cpu = time.perf_counter() - began, time.process_time() - began_cpu
            sizes = [file.stat().st_size for file in first.parent.iterdir()]
        print(f"{turn:<45} {took:>8.1f} {cpu:>6.1f} {max(sizes) / 1e6:>6.2f} MB {sum(sizes) / 1e6:>5.1f} MB")


if __name__ == "__main__":
    main()
