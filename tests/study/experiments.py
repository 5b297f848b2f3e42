"""The experiments by name: what each finds is plain data, from which the tables are made."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np

from tests.study.accuracy import coverage, coverage_with_groups, detectable
from tests.study.error_rates import (
    SIZES,
    Unchanged,
    alerts_table,
    calls_without_slices,
    common_rules,
    common_rules_table,
    power,
    power_of_slices,
    unchanged_at_detectable,
    unchanged_nights,
    verdicts_table,
)
from tests.study.incidents import incidents
from tests.study.judges import labels_by_verdict, labels_from_elsewhere, labels_of_tonight
from tests.study.suites import NOISES
from tests.study.tables import Table

DROPS_PP = tuple(range(0, 13, 2))
Curves = dict[str, list[float]]
Experiment = Callable[[np.random.Generator, int], Any]
"""Takes a generator and the unchanged nights that a row has; what counts less may take a share of them."""


def of_table(make: Callable[[np.random.Generator, int], Table], share: int) -> Experiment:
    """An experiment that ends in a table, on so small a share of the nights."""
    return lambda generator, nights: asdict(make(generator, max(1, nights // share)))


def alerts(n_cases: int, noise: str, generator: np.random.Generator, nights: int) -> dict[str, Any]:
    """Unchanged nights of one size and noise."""
    return unchanged_nights(generator, n_cases, noise, nights)._asdict()


ALERTS: Mapping[str, Experiment] = {
    f"alerts-{n_cases}-{noise.replace(' % ', '-').replace(' ', '-')}": partial(alerts, n_cases, noise)
    for n_cases in SIZES
    for noise in NOISES
}
EXPERIMENTS: Mapping[str, Experiment] = {
    "coverage": lambda *_: asdict(coverage()),
    "groups": of_table(coverage_with_groups, 50),
    "power": of_table(power, 20),
    "slices": of_table(power_of_slices, 50),
    "detectable-excluded": of_table(unchanged_at_detectable, 50),
    "calls": of_table(calls_without_slices, 20),
    "detectable-shown": of_table(detectable, 100),
    "rules": lambda generator, nights: common_rules(generator, max(20, nights // 20), DROPS_PP),
    "incidents": of_table(incidents, 2000),
    "judges-elsewhere": of_table(labels_from_elsewhere, 5),
    "judges-tonight": of_table(labels_of_tonight, 5),
    "judges-by-verdict": of_table(labels_by_verdict, 5),
    **ALERTS,
}


def found_by(name: str, seed: int, nights: int) -> Any:
    """Play one experiment, with a seed of its own, so that one does not move the others."""
    return EXPERIMENTS[name](np.random.default_rng([seed, crc32(name.encode())]), nights)


def tables_of(found: Mapping[str, Any]) -> list[Table]:
    """The tables of what was found, those of the alerts last."""
    tables = [
        common_rules_table(one, DROPS_PP) if name == "rules" else Table(**one)
        for name, one in found.items()
        if name not in ALERTS
    ]
    rows = [Unchanged(**one) for name, one in found.items() if name in ALERTS]
    return [*tables, *([alerts_table(rows), verdicts_table(rows)] if rows else [])]
