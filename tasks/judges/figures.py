"""What a calibration finds: labelled outputs with the judge's verdicts in, figures for all and each slice out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tasks.judges.agreement import Agreement, Confusion, agreement_of, confusion
from tasks.judges.annotators import AnnotatorAgreement, annotator_agreement, consensus
from tasks.judges.homogeneity import homogeneity_p
from tasks.records import LabelledOutput

MIN_SLICE_ROWS = 10
"""Of fewer rows no slice is told."""

SEED = 20261122


class JudgedOutput(NamedTuple):
    """A labelled output with what the judge said of it, and said again; None where it could not say."""

    labelled: LabelledOutput
    passed: bool | None
    again: bool | None


class Figures(NamedTuple):
    """How a judge agrees with people on some rows: `n_rows` have a label and a verdict, the others are counted."""

    n_rows: int
    n_tied: int
    n_unscored: int
    table: Confusion
    agreement: Agreement
    annotators: AnnotatorAgreement | None
    n_retested: int
    retest_changed: int
    homogeneity_p: float | None


def figures_by_slice(rows: Sequence[JudgedOutput]) -> Iterator[tuple[str, Figures]]:
    """The figures of all rows (the slice ""), and of each kind, tag and model that has some and not all."""
    weights = balanced_weights([row.labelled for row in rows])
    yield "", figures(rows, weights)
    for name, chosen in slices(rows).items():
        if MIN_SLICE_ROWS <= len(chosen) < len(rows):
            yield name, figures([rows[index] for index in chosen], weights[chosen])


def slices(rows: Sequence[JudgedOutput]) -> Mapping[str, list[int]]:
    """The rows of each slice."""
    found: dict[str, list[int]] = {}
    for index, (labelled, _, _) in enumerate(rows):
        case = labelled.case
        for name in (f"kind {case.kind}", *(f"tag {tag}" for tag in case.tags), f"model {labelled.model}"):
            found.setdefault(name, []).append(index)
    return dict(sorted(found.items()))


def balanced_weights(labelled: Sequence[LabelledOutput]) -> np.ndarray:
    """Weights of which those of one sample have a mean of 1: what a row stands for compares within its sample alone."""
    weights = np.array([one.weight for one in labelled], dtype=np.float64)
    samples = [(one.origin, one.model if one.origin else None) for one in labelled]
    codes = {sample: code for code, sample in enumerate(dict.fromkeys(samples))}
    of = np.array([codes[sample] for sample in samples], dtype=np.intp)
    means = np.bincount(of, weights) / np.maximum(np.bincount(of), 1) if len(of) else np.ones(1)
    return np.asarray(weights / means[of])


def figures(rows: Sequence[JudgedOutput], weights: np.ndarray) -> Figures:
    """The figures of some rows."""
    labels = [consensus(row.labelled.verdicts) for row in rows]
    kept = [index for index, row in enumerate(rows) if labels[index] is not None and row.passed is not None]
    right = np.array([labels[index] for index in kept], dtype=bool)
    passed = np.array([rows[index].passed for index in kept], dtype=bool)
    table = confusion(right, passed, weights[kept])
    retested = [row for row in rows if row.passed is not None and row.again is not None]
    models = [rows[index].labelled.model for index in kept]
    return Figures(
        n_rows=len(kept),
        n_tied=labels.count(None),
        n_unscored=sum(row.passed is None for row in rows),
        table=table,
        agreement=agreement_of(table),
        annotators=annotator_agreement([row.labelled.verdicts for row in rows]),
        n_retested=len(retested),
        retest_changed=sum(row.passed != row.again for row in retested),
        homogeneity_p=homogeneity_p(right, passed, models, np.random.default_rng(SEED)) if kept else None,
    )
