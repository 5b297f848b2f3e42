"""What a calibration finds: labelled outputs with the judge's verdicts in, figures for all and each slice out."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
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
    """How a judge agrees with people on distinct outputs: `n_rows` have a label and a verdict, others are counted."""

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
        of_slice = [rows[index] for index in chosen]
        if len(chosen) < len(rows) and len(set(map(output_of, of_slice))) >= MIN_SLICE_ROWS:
            yield name, figures(of_slice, weights[chosen])


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


def output_of(row: JudgedOutput) -> tuple[str, str]:
    """What a judge is asked about: rows that share it are one observation, whichever models and runs they come from."""
    return row.labelled.case.id, row.labelled.output


def distinct(
    rows: Sequence[JudgedOutput], weights: np.ndarray, keys: Sequence[Hashable]
) -> tuple[list[JudgedOutput], np.ndarray]:
    """One row for each key, with the verdicts of all annotators (the last of each) and the mean weight."""
    found: dict[Hashable, list[int]] = {}
    for index, key in enumerate(keys):
        found.setdefault(key, []).append(index)
    joined = [together([rows[index] for index in same]) for same in found.values()]
    return joined, np.array([weights[same].mean() for same in found.values()], dtype=np.float64)


def together(same: Sequence[JudgedOutput]) -> JudgedOutput:
    """Rows about one output as one; what the judge said is taken from the first of which it said anything."""
    said = next((row for row in same if row.passed is not None), same[0])
    verdicts = {name: passes for row in same for name, passes in row.labelled.verdicts.items()}
    return said._replace(labelled=replace(said.labelled, verdicts=verdicts))


def figures(rows: Sequence[JudgedOutput], weights: np.ndarray) -> Figures:
    """The figures of some rows, each output counted once."""
    each, weights = distinct(rows, weights, [output_of(row) for row in rows])
    labels = [consensus(row.labelled.verdicts) for row in each]
    kept = [index for index, row in enumerate(each) if labels[index] is not None and row.passed is not None]
    right = np.array([labels[index] for index in kept], dtype=bool)
    passed = np.array([each[index].passed for index in kept], dtype=bool)
    table = confusion(right, passed, weights[kept])
    retested = [row for row in each if row.passed is not None and row.again is not None]
    return Figures(
        n_rows=len(kept),
        n_tied=labels.count(None),
        n_unscored=sum(row.passed is None for row in each),
        table=table,
        agreement=agreement_of(table),
        annotators=annotator_agreement([row.labelled.verdicts for row in each]),
        n_retested=len(retested),
        retest_changed=sum(row.passed != row.again for row in retested),
        homogeneity_p=equal_errors_p(rows),
    )


def equal_errors_p(rows: Sequence[JudgedOutput]) -> float | None:
    """P-value for equal errors on every model's outputs, of which each counts once for each model that wrote it."""
    keys = [(*output_of(row), row.labelled.model) for row in rows]
    each, _ = distinct(rows, np.ones(len(rows)), keys)
    told = [(consensus(row.labelled.verdicts), row.passed, row.labelled.model) for row in each]
    known = [(right, passed, model) for right, passed, model in told if right is not None and passed is not None]
    if not known:
        return None
    right, passed = (np.array([one[place] for one in known], dtype=bool) for place in (0, 1))
    return homogeneity_p(right, passed, [model for *_, model in known], np.random.default_rng(SEED))
