"""Which of a night's outputs people are asked to label: as many that the judge failed as that it passed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.judges.agreement import Flags


class Drawn(NamedTuple):
    """An output by its position, and how many it stands for."""

    position: int
    weight: float


def draw_sample(passed: Flags, n: int, generator: np.random.Generator) -> list[Drawn]:
    """Draw about half of `n` outputs from each verdict, all of one that has fewer, in random order.

    Failures are rare and say most; the weight of a row undoes that more of them were taken.
    """
    of_failed, of_passed = np.flatnonzero(~passed), np.flatnonzero(passed)
    n_failed = min(len(of_failed), max(n // 2, n - len(of_passed)))
    n_passed = min(len(of_passed), n - n_failed)
    drawn = [*chosen(of_failed, n_failed, generator), *chosen(of_passed, n_passed, generator)]
    return [drawn[place] for place in generator.permutation(len(drawn)).tolist()]


def chosen(these: NDArray[np.intp], n: int, generator: np.random.Generator) -> list[Drawn]:
    """Some of these, each with the same chance."""
    picked = generator.choice(these, n, replace=False).tolist() if n else []
    return [Drawn(position, len(these) / n) for position in picked]
