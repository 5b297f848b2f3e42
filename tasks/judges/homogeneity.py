"""Whether a judge errs alike on the outputs of different models: what correcting another model's rate assumes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.judges.agreement import Flags

DRAWS = 4_000


def homogeneity_p(right: Flags, passed: Flags, models: Sequence[str], generator: np.random.Generator) -> float | None:
    """P-value for equal sensitivity and equal specificity over the models, twice the smaller of both (Bonferroni).

    None where fewer than two models wrote outputs of either kind.
    """
    codes = np.unique(np.array(models, dtype=object).astype(str), return_inverse=True)[1]
    found = [table_p(counts(codes[kind], passed[kind]), generator) for kind in (right, ~right)]
    known = [p for p in found if p is not None]
    return min(1.0, len(known) * min(known)) if known else None


def counts(codes: NDArray[np.intp], passed: Flags) -> NDArray[np.int64]:
    """Passed and failed rows of each model that has any."""
    rows = np.array(
        [[(passed & (codes == code)).sum(), (~passed & (codes == code)).sum()] for code in np.unique(codes)]
    )
    return rows.reshape(-1, 2).astype(np.int64)


def table_p(table: NDArray[np.int64], generator: np.random.Generator) -> float | None:
    """Pearson's X² against tables with the same margins, drawn at random: valid however few rows a model has."""
    if len(table) < 2:
        return None
    sizes, n_passed = table.sum(axis=1), int(table[:, 0].sum())
    expected = sizes * n_passed / sizes.sum()
    drawn = generator.multivariate_hypergeometric(sizes, n_passed, size=DRAWS)
    distances = ((drawn - expected) ** 2 / sizes).sum(axis=1)  # X² but for a factor that the margins fix
    observed = float(((table[:, 0] - expected) ** 2 / sizes).sum())
    return float((1 + (distances >= observed - 1e-9).sum()) / (1 + DRAWS))
