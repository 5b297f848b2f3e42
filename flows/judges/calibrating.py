"""Ask judges about outputs of which people have said whether they pass, and keep how far both agree."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.evaluating.judging import Panel, open_judging
from flows.evaluating.probing import kept_probes, probe_judges, why_not_asked
from flows.judges.trust import judge_key
from flows.planning.payers import payer_name
from flows.run import Run, now
from flows.signals import until_stopped
from flows.storing import store_records, store_trials
from tasks.calls.engine import Planned
from tasks.calls.judge_version import JudgeVersion, version_of
from tasks.calls.provider import warm_up
from tasks.judges.annotators import consensus
from tasks.judges.figures import Figures, JudgedOutput, figures_by_slice
from tasks.records import Answer, Calibration, LabelledOutput, RunStatus, Suite, TrialKey
from tasks.scoring.judge import RubricJudge, build_judges
from tasks.storage import reads

JOURNAL = "journal-calibration.jsonl"
PASSES = 2
"""The second tells whether a judge says the same of the same output."""

Labels = Mapping[str, Sequence[LabelledOutput]]
"""Labelled outputs by suite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What a calibration found, and which judges could not be asked."""

    calibrations: tuple[Calibration, ...]
    unasked: tuple[str, ...]
    calls: int
    cost_usd: float | None


async def calibrate(run: Run, labels: Labels) -> Calibrated:
    """Ask every judge of the run's suites about its labelled outputs, twice, and store what came out."""
    await warm_up()
    await until_stopped(asyncio.ensure_future(probe_judges(run)), run.stop)
    found: list[Calibration] = []
    if not run.stop.is_set():
        async with open_judging(run, calls_for(run, labels), JOURNAL) as judges:
            for suite in run.plan.suites:
                once, again = judges.panels(suite), judges.panels(suite, again=True)
                for panels in zip(once, again, strict=True):
                    found += await calibrate_scorer(run, suite, panels, labels[suite.name])
    await asyncio.to_thread(store_trials, run)
    calls, cost_usd, _ = reads.spent(run.results, run.id)
    status: RunStatus = "interrupted" if run.stop.is_set() else "finished"
    record = run.record(status, calls=calls, cost_usd=cost_usd)
    kept = () if run.stop.is_set() else tuple(found)
    await asyncio.to_thread(store_records, run, {"calibrations": kept, "runs": (record,)})
    return Calibrated(calibrations=kept, unasked=tuple(unasked(run)), calls=calls, cost_usd=cost_usd)


async def calibrate_scorer(
    run: Run, suite: Suite, panels: tuple[Panel, Panel], labelled: Sequence[LabelledOutput]
) -> list[Calibration]:
    """The figures of one judge scorer; none where a run is stopped, or no row is for it."""
    scorer = panels[0].scorer
    rows = labels_for(scorer, labelled)
    asked: list[bool | None] = []

    async def ask_all() -> None:
        work = [ask(run, suite, panel, row, number) for row in rows for number, panel in enumerate(panels, 1)]
        asked.extend(await asyncio.gather(*work))

    await until_stopped(asyncio.ensure_future(ask_all()), run.stop)
    if run.stop.is_set() or not any(one is not None for one in asked):
        return []
    judged = [JudgedOutput(row, *asked[PASSES * index : PASSES * (index + 1)]) for index, row in enumerate(rows)]
    return list(records(run, suite, scorer, judged))


async def ask(run: Run, suite: Suite, panel: Panel, row: LabelledOutput, number: int) -> bool | None:
    """Have one labelled output judged; what was said is kept."""
    key = TrialKey(run.id, suite.name, row.model, row.case.id, number, "calibration")
    truth = consensus(row.verdicts)
    found = await panel.find(Answer(row.output), Planned(key, row.case), suite, truth=truth)
    for purse in (judge.purse for judge in panel.judges):
        if purse:
            purse.did(1)
    return found.finding.passed


def labels_for(scorer: RubricJudge, labelled: Sequence[LabelledOutput]) -> list[LabelledOutput]:
    """The rows that a judge scorer is asked about."""
    return [row for row in labelled if row.scorer in {None, scorer.name} and scorer.applies_to(row.case)]


def calls_for(run: Run, labels: Labels) -> Counter[str]:
    """How many calls that is for each judge."""
    calls: Counter[str] = Counter()
    for suite in run.plan.suites:
        for scorer in build_judges(suite):
            for name in scorer.judges:
                calls[payer_name(run.judge_named(name))] += PASSES * len(labels_for(scorer, labels[suite.name]))
    return calls


def unasked(run: Run) -> Iterator[str]:
    """Which judges could not be asked, and why."""
    for name, probe in kept_probes(run.folder).items():
        if why_not := why_not_asked(probe):
            yield f"{name} was not asked: {why_not}"


def records(run: Run, suite: Suite, scorer: RubricJudge, judged: Sequence[JudgedOutput]) -> Iterator[Calibration]:
    """What is kept of one scorer, of all rows first."""
    versions = {name: version_of(probe) for name, probe in kept_probes(run.folder).items()}
    moment = now()
    for slice_, figures in figures_by_slice(judged):
        yield Calibration(
            run_id=run.id,
            suite=suite.name,
            scorer=scorer.name,
            slice=slice_,
            judges=scorer.judges,
            judge_key=judge_key(scorer, versions),
            judge_versions=tuple(shown_version(versions[name]) for name in scorer.judges),
            calibrated_at=moment,
            simulated=any(run.judge_named(name).is_rehearsal for name in scorer.judges),
            **columns(figures),
        )


def shown_version(version: JudgeVersion) -> str:
    """The version in words, with the params that it was asked with."""
    return f"{version} {version.params}"


def columns(found: Figures) -> dict[str, Any]:
    """The figures as they are stored."""
    agreement, annotators = found.agreement, found.annotators
    return {
        "n_rows": found.n_rows,
        "n_tied": found.n_tied,
        "n_unscored": found.n_unscored,
        **found.table._asdict(),
        "sensitivity": known(agreement.sensitivity.value),
        "sensitivity_low": agreement.sensitivity.interval.low,
        "sensitivity_high": agreement.sensitivity.interval.high,
        "specificity": known(agreement.specificity.value),
        "specificity_low": agreement.specificity.interval.low,
        "specificity_high": agreement.specificity.interval.high,
        "youden": known(agreement.youden),
        "youden_low": agreement.youden_interval.low,
        "youden_high": agreement.youden_interval.high,
        "kappa": known(agreement.kappa),
        "prevalence": known(agreement.prevalence),
        "n_annotated_twice": annotators.n_rows if annotators else 0,
        "annotator_agreement": annotators.agreement if annotators else None,
        "annotator_alpha": known(annotators.alpha) if annotators else None,
        "n_retested": found.n_retested,
        "retest_changed": found.retest_changed,
        "homogeneity_p": found.homogeneity_p,
    }


def known(value: float) -> float | None:
    """A figure, None where it is not defined."""
    return None if math.isnan(value) else value
