"""`python -m tests.study`: simulate, print the tables, and write them with a figure where `--out` says."""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.study.accuracy import coverage, coverage_with_groups, detectable
from tests.study.error_rates import (
    calls_without_slices,
    common_rules,
    common_rules_table,
    false_alerts,
    power,
    power_of_slices,
    unchanged_at_detectable,
)
from tests.study.figure import power_chart
from tests.study.incidents import incidents
from tests.study.judges import labels_by_verdict, labels_from_elsewhere, labels_of_tonight
from tests.study.tables import Table

DROPS_PP = tuple(range(0, 13, 2))


def main() -> int:
    """Run every experiment; ends with 1 where a target was missed."""
    options = parsed()
    scale = 200 if options.quick else 1
    started, curves = time.monotonic(), dict[str, list[float]]()
    tables = []
    for found in experiments(options.seed, max(1, options.nights // scale), curves):
        table = replace(found, kept=None) if options.quick else found
        print(table, flush=True)
        tables.append(table)
    if options.out:
        write(options, tables, curves, minutes=(time.monotonic() - started) / 60)
    missed = [table.title for table in tables if table.kept is False]
    print(f"{len(missed)} targets missed{': ' if missed else ''}{'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.study", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute; too few nights to hold any target")
    parser.add_argument("--nights", type=int, default=100_000, help="unchanged nights per row (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--out", type=Path, help="a Markdown file; the figure is written beside it as .svg")
    return parser.parse_args()


def experiments(seed: int, nights: int, curves: dict[str, list[float]]) -> Iterator[Table]:
    """Every table in order; each experiment has a seed of its own, so that one does not move the others."""
    generators = iter([np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(10)])
    some, few = max(20, nights // 20), max(20, nights // 50)
    yield coverage()
    yield coverage_with_groups(next(generators), few)
    yield power(next(generators), some)
    yield power_of_slices(next(generators), few)
    yield unchanged_at_detectable(next(generators), few)
    yield calls_without_slices(next(generators), some)
    yield detectable(next(generators), few // 2)
    curves.update(common_rules(next(generators), some, DROPS_PP))
    yield common_rules_table(curves, DROPS_PP)
    yield incidents(next(generators), max(1, nights // 2000))
    yield from false_alerts(next(generators), nights)
    of_judges = next(generators)
    for experiment in (labels_from_elsewhere, labels_of_tonight, labels_by_verdict):
        yield experiment(of_judges, 4 * some)


def write(options: argparse.Namespace, tables: list[Table], curves: dict[str, list[float]], *, minutes: float) -> None:
    """Write the Markdown file and the figure."""
    figure = options.out.with_suffix(".svg")
    figure.write_text(power_chart(curves, DROPS_PP), "utf-8")
    day = datetime.now(UTC).date()
    head = (
        f"# How often the verdicts err\n\nSimulated on {day} in {minutes:.0f} minutes by the code that judges nights: "
        f"`make study` (seed {options.seed}, {options.nights} nights a row where alerts are counted"
        f"{', quick: a two-hundredth of that' if options.quick else ''}).\n\n"
        f"![Share of nights with an alarm, by the true drop]({figure.name})\n"
    )
    options.out.write_text("\n".join([head, *map(str, tables)]), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
