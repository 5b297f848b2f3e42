"""`python -m tests.study`: simulate, print the tables, and write them with a figure where `--out` says.

Every experiment has a name and a seed of its own, and what it found is kept: a study that was stopped goes on, and one
row can be played alone (`--rows power alerts-400`).
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.study.experiments import DROPS_PP, EXPERIMENTS, Curves, found_by, tables_of
from tests.study.figure import power_chart
from tests.study.tables import Table

QUICK = 200


def main() -> int:
    """Play what is asked for and not kept yet; ends with 1 where a target was missed."""
    options = parsed()
    names = [name for name in EXPERIMENTS if not options.rows or name.startswith(tuple(options.rows))]
    nights = max(1, options.nights // (QUICK if options.quick else 1))
    keep = None if options.quick else options.keep / f"{options.seed}-{nights}"
    found = kept_results(keep, names)
    played = play_all([name for name in names if name not in found], options, nights, keep)
    tables = tables_of({name: (found | played)[name] for name in names})
    if options.quick:
        tables = [replace(table, kept=None) for table in tables]
    print(*tables, sep="\n")
    if options.out:
        write(options, tables, {**found, **played}.get("rules"))
    missed = [table.title for table in tables if table.kept is False]
    print(f"{len(missed)} targets missed{': ' if missed else ''}{'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="under a minute; too few nights to hold any target")
    parser.add_argument(
        "--rows", nargs="+", metavar="NAME", help=f"only these, by how they begin: {' '.join(EXPERIMENTS)}"
    )
    parser.add_argument("--nights", type=int, default=100_000, help="unchanged nights per row (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("results/study"), help="where to go on from (%(default)s)")
    parser.add_argument("--out", type=Path, help="a Markdown file; the figure is written beside it as .svg")
    return parser.parse_args()


def kept_results(keep: Path | None, names: list[str]) -> dict[str, Any]:
    """What earlier calls found, by name."""
    paths = {name: keep / f"{name}.json" for name in names} if keep else {}
    return {name: json.loads(path.read_text("utf-8")) for name, path in paths.items() if path.exists()}


def play_all(names: list[str], options: argparse.Namespace, nights: int, keep: Path | None) -> dict[str, Any]:
    """Play experiments, several at a time, and keep each as soon as it is done."""
    found: dict[str, Any] = {}
    started = time.monotonic()
    with ProcessPoolExecutor(options.processes) as pool:
        futures = {pool.submit(found_by, name, options.seed, nights): name for name in names}
        for future in as_completed(futures):
            name = futures[future]
            found[name] = future.result()
            minutes = (time.monotonic() - started) / 60
            print(f"{len(found)} of {len(names)}: {name}, after {minutes:.1f} minutes", file=sys.stderr, flush=True)
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{name}.json").write_text(json.dumps(found[name]), "utf-8")
    return found


def write(options: argparse.Namespace, tables: list[Table], curves: Curves | None) -> None:
    """Write the Markdown file, and the figure where its experiment was played."""
    figure = options.out.with_suffix(".svg")
    day = datetime.now(UTC).date()
    head = (
        f"# How often the verdicts err\n\nSimulated on {day} by the code that judges nights: `make study` (seed "
        f"{options.seed}, {options.nights} nights a row where alerts are counted"
        f"{f', quick: one in {QUICK} of that' if options.quick else ''}).\n"
    )
    if curves:
        figure.write_text(power_chart(curves, DROPS_PP), "utf-8")
        head += f"\n![Share of nights with an alarm, by the true drop]({figure.name})\n"
    options.out.write_text("\n".join([head, *map(str, tables)]), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
