"""What several people say of one output, and how far they agree."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Verdicts = Mapping[str, bool]
"""One row's verdicts by annotator: True for pass."""


class AnnotatorAgreement(NamedTuple):
    """Share of pairs of annotators that agree on a row, and Krippendorff's α, over the rows with two or more."""

    n_rows: int
    agreement: float
    alpha: float


def consensus(verdicts: Verdicts) -> bool | None:
    """The majority's verdict; None for a tie, which is no label."""
    passes = sum(verdicts.values())
    return None if 2 * passes == len(verdicts) else 2 * passes > len(verdicts)


def annotator_agreement(rows: Sequence[Verdicts]) -> AnnotatorAgreement | None:
    """Agreement among annotators; None where no row has two of them.

    α for nominal data with any number of annotators per row (Krippendorff 2011, Computing Krippendorff's
    Alpha-Reliability); nan where nobody ever gave the other verdict.
    """
    shared = [row for row in rows if len(row) > 1]
    if not shared:
        return None
    counts = [(sum(row.values()), len(row)) for row in shared]
    pairs = sum(m * (m - 1) / 2 for _, m in counts)
    disagreeing = sum(passes * (m - passes) for passes, m in counts)
    n = sum(m for _, m in counts)
    passed = sum(passes for passes, _ in counts)
    observed = 2 * sum(passes * (m - passes) / (m - 1) for passes, m in counts) / n
    expected = 2 * passed * (n - passed) / (n * (n - 1))
    return AnnotatorAgreement(
        len(shared), 1 - disagreeing / pairs, 1 - observed / expected if expected else float("nan")
    )
