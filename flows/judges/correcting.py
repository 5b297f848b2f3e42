"""Correct the pass rates of judged cells for their judges' errors, from what is stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from flows.judges.trust import Standing, doubts, refusal, standings
from tasks.datasets.calibration import read_labels
from tasks.judges.annotators import consensus
from tasks.judges.correction import Estimate, combined
from tasks.judges.tonight import (
    MIN_LABELS,
    Corrected,
    Decided,
    LabelOfTonight,
    as_it_stands,
    by_calibration,
    by_labels,
)
from tasks.records import Correction, CorrectionMethod, LabelledOutput, Suite, Trust
from tasks.storage import judged
from tasks.storage.judged import JudgedTotal
from tasks.storage.parts import write_part
from tasks.storage.warehouse import Warehouse

ASSUMES: Mapping[CorrectionMethod, str] = {
    "rogan-gladen": "assuming that the judge errs on these outputs as often as on the calibration's",
    "ppi++": "by labels of a random sample of these outputs",
    "stratified": "by labels of these outputs, sampled by the judge's verdict",
}


class CellOfRun(NamedTuple):
    """A cell of a run, with what is known of its judges."""

    run_id: str
    suite: str
    model: str
    standings: Sequence[Standing]


def correction_of(
    results: Path, cell: CellOfRun, labelled: Sequence[LabelledOutput], *, at: datetime
) -> Correction | None:
    """The corrected rate of a cell, or why there is none; None where no judge is asked about it.

    `labelled` are the suite's labelled outputs, of which those count here that were sampled from this very cell.
    """
    if not cell.standings:
        return None
    names = [one.scorer.name for one in cell.standings]
    totals = judged.judged_totals(results, cell.run_id, cell.suite, cell.model, names)
    labels = labels_of(results, cell, labelled)
    found = {total.scorer: corrected(total, cell.standings, labels) for total in totals}
    estimate, why = whole(totals, found, cell.standings, labels)
    methods = [one.method for one in found.values() if one]
    known = [one.calibration for one in cell.standings if one.calibration]
    weakest = min(known, key=lambda one: one.youden_low, default=None)
    panels = [total for total in totals for one in cell.standings if one.scorer.name == total.scorer and one.is_panel]
    return Correction(
        run_id=cell.run_id,
        suite=cell.suite,
        model=cell.model,
        trust=trust_in(cell.standings),
        why=why,
        method=methods[0] if estimate and methods else None,
        raw_pass_rate=ratio(sum(total.passed for total in totals), sum(total.trials for total in totals)),
        pass_rate=float(estimate.value) if estimate else None,
        ci_low=float(max(0.0, estimate.ends.low)) if estimate else None,
        ci_high=float(min(1.0, estimate.ends.high)) if estimate else None,
        n_labels=sum(map(len, labels.values())) if "rogan-gladen" not in methods else sum(one.n_rows for one in known),
        youden=weakest.youden if weakest else None,
        youden_low=weakest.youden_low if weakest else None,
        slope=slope(totals, cell.standings),
        unanimous=ratio(sum(one.unanimous * one.trials for one in panels), sum(one.trials for one in panels)),
        recorded_at=at,
    )


def correct_stored(
    results: Path, suites: Mapping[str, Suite], cells: Sequence[tuple[str, str, str]], *, at: datetime
) -> list[Correction]:
    """Correct stored cells (run, suite, model) anew, by what is known of their judges and labels by now."""
    found = []
    for run_id, name, model in cells:
        suite = suites[name]
        cell = CellOfRun(run_id, name, model, standings(results, run_id, suite))
        correction = correction_of(results, cell, read_labels(suite), at=at)
        found += [correction] if correction else []
    write_part(results, "corrections", f"again-{at:%Y%m%d-%H%M%S-%f}", found)
    Warehouse(results).ingest()
    return found


def trust_in(standings: Sequence[Standing]) -> Trust:
    """The least of what is known of any judge."""
    order: tuple[Trust, ...] = ("refused", "uncalibrated", "outdated", "calibrated")
    return min((one.trust for one in standings), key=order.index)


def labels_of(
    results: Path, cell: CellOfRun, labelled: Sequence[LabelledOutput]
) -> Mapping[str, Sequence[LabelOfTonight]]:
    """The labels of a cell's own outputs by scorer, with what the judge said of the same output."""
    own = [one for one in labelled if (one.origin, one.model) == (cell.run_id, cell.model)]
    found: dict[str, list[LabelOfTonight]] = {one.scorer.name: [] for one in cell.standings}
    if own:
        spoken = judged.judged_outputs(results, cell.run_id, cell.suite, cell.model, list(found))
        said = {(one.scorer, one.case_id, one.output): one.passed for one in spoken}
        for one in own:
            right = consensus(one.verdicts)
            for scorer, labels in found.items():
                passed = said.get((scorer, one.case.id, one.output))
                if right is not None and passed is not None and one.scorer in {None, scorer}:
                    labels.append(LabelOfTonight(right, passed, one.weight))
    return found


def corrected(
    total: JudgedTotal, standings: Sequence[Standing], labels: Mapping[str, Sequence[LabelOfTonight]]
) -> Corrected | None:
    """The rate of what one judge scorer decided."""
    standing = next((one for one in standings if one.scorer.name == total.scorer), None)
    if standing is None or standing.trust == "refused":
        return None
    found = Decided(total.passed / total.trials, total.n_cases)
    by_own = by_labels(found, labels[standing.scorer.name])
    if by_own or standing.trust != "calibrated" or standing.calibration is None:
        return by_own
    return by_calibration(found, standing.calibration)


def whole(
    totals: Sequence[JudgedTotal],
    found: Mapping[str | None, Corrected | None],
    standings: Sequence[Standing],
    labels: Mapping[str, Sequence[LabelOfTonight]],
) -> tuple[Estimate | None, str]:
    """The rate of the whole cell with what it assumes, or why there is none."""
    if reason := refusal(standings):
        return None, reason
    if not totals:
        return None, "nothing was measured"
    if sum(total.trials for total in totals) > totals[0].measured_trials:
        return None, "two judge scorers spoke of the same answers: their errors cannot be told apart"
    spoken = {total.scorer for total in totals if total.scorer is not None}
    if any(found[name] is None for name in spoken):
        of_these = [one for one in standings if one.scorer.name in spoken]
        reasons = [*doubts(of_these), *too_few({name: labels[name] for name in spoken if not found[name]})]
        return None, " ".join(reasons) or "its calibration says nothing: J is not above 0"
    parts = []
    for total in totals:
        own = found[total.scorer]
        share, rate = total.trials / totals[0].measured_trials, total.passed / total.trials
        parts.append((share, own.estimate if own else as_it_stands(Decided(rate, total.n_cases))))
    methods = dict.fromkeys(one.method for one in found.values() if one)
    return combined(parts), "; ".join(ASSUMES[method] for method in methods)


def too_few(labels: Mapping[str, Sequence[LabelOfTonight]]) -> list[str]:
    """That labels of the very outputs correct nothing yet; nothing where there are none."""
    told = [f"{len(of_scorer)} for {name}" for name, of_scorer in labels.items() if of_scorer]
    return [f"Labels of its own outputs ({', '.join(told)}) correct a run from {MIN_LABELS} on."] if told else []


def slope(totals: Sequence[JudgedTotal], standings: Sequence[Standing]) -> float | None:
    """How much of a true drop shows: J where a judge decides, all of it elsewhere; None where J is not known."""
    of_scorer = {one.scorer.name: one for one in standings}
    shown, trials = 0.0, sum(total.trials for total in totals)
    for total in totals:
        youden = 1.0
        if total.scorer is not None:
            one = of_scorer[total.scorer]
            if one.trust != "calibrated" or one.calibration is None or not one.calibration.youden:
                return None
            youden = min(1.0, max(0.0, one.calibration.youden))
        shown += youden * total.trials
    return shown / trials if trials else None


def ratio(part: float, of: float) -> float | None:
    """A share, None of nothing."""
    return part / of if of else None
