"""Whether tonight's judges may be believed: which calibration is of these very judges, and what it says."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.calls.judge_version import JudgeVersion
from tasks.config import JudgeScorer
from tasks.records import Calibration, Suite, Trust
from tasks.scoring.judge import RubricJudge, build_judges
from tasks.scoring.judge_prompt import INSTRUCTIONS, REMINDER
from tasks.storage import judged

UNEQUAL = 0.05
"""Below this p a judge does not err alike on all models' outputs."""

ASK = "`daybreak judge calibrate`"


class Standing(NamedTuple):
    """What is known of one judge scorer: `calibration` is the latest, of other judges where it is outdated."""

    suite: str
    scorer: RubricJudge
    trust: Trust
    calibration: Calibration | None
    min_youden: float

    @property
    def is_panel(self) -> bool:
        """True where several judges have a vote."""
        return len(self.scorer.judges) > 1

    @property
    def who(self) -> str:
        """The judge, or the panel."""
        return " + ".join(self.scorer.judges)


def standings(results: Path, run_id: str, suite: Suite) -> list[Standing]:
    """The standing of each judge scorer of a suite, by the versions that answered the run's probes."""
    scorers = build_judges(suite)
    if not scorers:
        return []
    versions = versions_in(results, run_id)
    known = [one for one in judged.calibrations(results, [suite.name]) if not one.slice]
    limits = {one.name or one.type: one.min_youden for one in suite.config.scorers if isinstance(one, JudgeScorer)}
    return [standing_of(suite, scorer, versions, known, limits[scorer.name]) for scorer in scorers]


def standing_of(
    suite: Suite,
    scorer: RubricJudge,
    versions: Mapping[str, JudgeVersion],
    known: Sequence[Calibration],
    min_youden: float,
) -> Standing:
    """The standing of one scorer by the calibrations of its suite, the latest last."""
    of_scorer = [one for one in known if one.scorer == scorer.name]
    key = judge_key(scorer, versions)
    current = [one for one in of_scorer if one.judge_key == key]
    if not current:
        trust: Trust = "outdated" if of_scorer else "uncalibrated"
        return Standing(suite.name, scorer, trust, of_scorer[-1] if of_scorer else None, min_youden)
    trust = "refused" if current[-1].youden_low < min_youden else "calibrated"
    return Standing(suite.name, scorer, trust, current[-1], min_youden)


def versions_in(results: Path, run_id: str) -> dict[str, JudgeVersion]:
    """The versions that answered the probes of a run, by the judges' names."""
    return {
        probe.model: JudgeVersion(probe.requested_model, probe.served_model or None, probe.params)
        for probe in judged.probes(results, run_id)
    }


def judge_key(scorer: RubricJudge, versions: Mapping[str, JudgeVersion]) -> str:
    """The same while everything is that a verdict depends on but the answer: hex SHA-256."""
    of_judges = sorted(versions[name] for name in scorer.judges if name in versions)
    return hashlib.sha256(json.dumps([of_judges, scorer.rubric.texts, INSTRUCTIONS, REMINDER]).encode()).hexdigest()


def refusal(found: Iterable[Standing]) -> str | None:
    """Why what judges said of a suite counts for nothing, if so."""
    for one in found:
        if one.trust == "refused" and one.calibration:
            return (
                f"judge not trusted: {one.who} reaches J {figure(one.calibration.youden)}, at least "
                f"{figure(one.calibration.youden_low)} (95 %), on {one.calibration.n_rows} labelled outputs; "
                f"min_youden is {one.min_youden:g}"
            )
    return None


def doubts(found: Iterable[Standing]) -> list[str]:
    """In words, which judges' errors are not known."""
    by_reason: dict[tuple[str, Trust], dict[str, None]] = {}
    for one in found:
        by_reason.setdefault((one.who, one.trust), {})[one.suite] = None
    unknown = ("uncalibrated", "outdated")
    return [doubt(who, trust, ", ".join(suites)) for (who, trust), suites in by_reason.items() if trust in unknown]


def doubt(who: str, trust: Trust, suites: str) -> str:
    """What a judge's verdicts are worth before they were compared with people's."""
    if trust == "outdated":
        return (
            f"The calibration of {who} on {suites} is older than the judge or its rubric and counts as none: "
            f"repeat {ASK}."
        )
    return (
        f"{who} is not calibrated on {suites}: how often it errs there is not known, and pass rates are not corrected "
        f"for it ({ASK})."
    )


def partiality(found: Iterable[Standing]) -> str | None:
    """Why a comparison of two models may be the judge's doing, if so."""
    for one in found:
        known = one.calibration
        if one.trust == "calibrated" and known and known.homogeneity_p is not None and known.homogeneity_p < UNEQUAL:
            return (
                f"{one.who} errs more on some models' outputs than on others' (p {known.homogeneity_p:.2g}): between "
                "two models a difference may be its doing; label outputs of both (`daybreak judge sample`)"
            )
    return None


def figure(value: float | None) -> str:
    """A share as statisticians write it."""
    return "unknown" if value is None else f"{value:.2f}"


def trend(found: Sequence[Calibration]) -> list[str]:
    """J over time, a line for each scorer that was calibrated more than once."""
    points: dict[tuple[str, str], list[str]] = {}
    for one in found:
        if not one.slice and one.youden is not None:
            points.setdefault((one.suite, one.scorer), []).append(f"{one.calibrated_at:%Y-%m-%d} {one.youden:.2f}")
    return [f"J of {suite}, {scorer}: {' → '.join(told)}" for (suite, scorer), told in points.items() if len(told) > 1]
