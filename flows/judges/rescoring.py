"""Score a baseline's stored outputs again, so that a change of label, scorer or judge never looks like one of model."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from flows.evaluating.judging import KeptVerdicts, not_needed
from flows.evaluating.probing import kept_probes, why_not_asked
from flows.run import Rejudged, Run
from tasks.calls.judge_version import JudgeVersion, version_of
from tasks.calls.verdict_cache import VERDICTS, VerdictCache
from tasks.datasets.stored import read_stored
from tasks.plan import stored_cases
from tasks.records import Answer, CallStatus, Case, Finding, OutcomeState, Suite
from tasks.scoring.build import Scorer, build_scorers, outcome_of, score_all
from tasks.scoring.judge import RubricJudge, build_judges, finding_of, question_about
from tasks.scoring.panel import is_settled, majority
from tasks.storage import judged, reads
from tasks.storage.counts import PairedCounts, Side
from tasks.storage.reads import Output
from tasks.verdicts.compare import MIN_PAIRED

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCOREABLE = {CallStatus.ANSWERED, CallStatus.REFUSED_BY_PROVIDER}
PER_CASE = ("case_ids", "base_passed", "base_measured", "passed", "measured", "same_label", "kinds", "tags", "groups")


class Change(NamedTuple):
    """What became different since the baseline, in words, and for which pairs."""

    what: str
    stale: "NDArray[np.bool_]"


class Scorers(NamedTuple):
    """Tonight's scorers of a suite; of its judges, what they said before."""

    rules: Sequence[Scorer]
    judges: Sequence[tuple[RubricJudge, Mapping[str, KeptVerdicts]]]


def rescored(run: Run, suite: Suite, base: Side, counts: PairedCounts) -> PairedCounts | str:
    """The pairs with the baseline's side as tonight's labels, scorers and judges see it, or why that cannot be had.

    Nothing is asked here: a judge's verdict is one that it gave before, on the same output by the same rubric; the
    step before has asked for those that it could have (`flows.judges.rejudging`). Cases that still lack one are left
    out together with all that changed like them, since those whose output is tonight's never lack it.
    """
    change, since = change_since(run, suite, base, counts), base.run_ids[0]
    if change is None:
        return counts
    again = score_again(run, suite, base, set(counts.case_ids[change.stale]))
    if again is not None:
        run.notes.append(f"{suite.name}: {change.what} since {since}; its stored outputs were scored again")
        rescored_counts = with_base(counts, change.stale, *again)
        run.scoring_drops_pp[suite.name, base] = scoring_drop_pp(counts, rescored_counts)
        return rescored_counts
    left = without(counts, change.stale)
    if len(left.case_ids) < MIN_PAIRED * counts.n_cases:
        return f"{change.what} since {since}, whose answers were not judged so: promote {run.id}, or change it back"
    run.notes.append(f"{suite.name}: {change.what} since {since}; these cases are left out of the comparison")
    return left


def change_since(run: Run, suite: Suite, base: Side, counts: PairedCounts) -> Change | None:
    """What the baseline's side was scored by that is different tonight."""
    everywhere = np.ones(len(counts.case_ids), dtype=bool)
    if run.id not in base.run_ids:
        if moved := judge_that_moved(run, suite, base.run_ids[0]):
            return Change(moved, everywhere)
        if scorers_of(run, suite, base) != suite.scorers_hash:
            return Change("the scorers changed", everywhere)
    relabelled = ~counts.same_label
    return Change(f"{relabelled.sum()} labels changed", relabelled) if relabelled.any() else None


def judge_that_moved(run: Run, suite: Suite, base_run_id: str) -> str | None:
    """The judge of a suite that is not the one that it was in the baseline's run, if any."""
    judges = sorted({judge for scorer in build_judges(suite) for judge in scorer.judges})
    tonight = kept_probes(run.folder) if judges else {}
    then = {
        probe.model: JudgeVersion(probe.requested_model, probe.served_model or None, probe.params)
        for probe in (judged.probes(run.results, base_run_id) if judges else ())
    }
    for name in judges:
        before, now = then.get(name), version_of(tonight[name])
        if before != now and not why_not_asked(tonight[name]):
            return f"the judge {name} changed from {before or 'none'} to {now}"
    return None


def scorers_of(run: Run, suite: Suite, base: Side) -> str | None:
    """The hash of the scorers that the baseline's cell was scored by."""
    cells = reads.cells_of(run.results, base.run_ids[0])
    return next((cell.scorers_hash for cell in cells if (cell.suite, cell.model) == (suite.name, base.model)), None)


def score_again(run: Run, suite: Suite, base: Side, ids: Collection[str]) -> tuple[Counter[str], Counter[str]] | None:
    """Passed and measured trials of each case, by tonight's scorers; None where a judge would have to be asked."""
    cases = {
        case.id: case for case in read_stored(stored_cases(run.results, suite), 0, suite.n_cases) if case.id in ids
    }
    passed, measured = Counter[str](), Counter[str]()
    with VerdictCache(run.results / VERDICTS) as cache:
        scorers = scorers_without_asking(run, suite, cache)
        for output, who, is_measured in outputs_of(run, suite, base, ids):
            outcome = outcome_again(scorers, cases[output.case_id], output)
            if outcome is None and is_measured and who not in run.speechless:
                return None
            measured[output.case_id] += outcome in {"passed", "failed"}
            passed[output.case_id] += outcome == "passed"
    return passed, measured


def outputs_of(run: Run, suite: Suite, base: Side, ids: Collection[str]) -> Iterator[tuple[Output, Rejudged, bool]]:
    """The stored outputs of some cases in every run of a baseline, whose each is, and whether it was measured then."""
    for run_id in base.run_ids:
        unmeasured = judged.unmeasured_trials(run.results, run_id, suite.name, base.model, base.phases)
        for output in reads.outputs(run.results, run_id, suite.name, base.model, base.phases, case_ids=list(ids)):
            trial = output.case_id, output.trial, output.phase
            yield output, Rejudged(suite.name, base.model, run_id, *trial), trial not in unmeasured


def scorers_without_asking(run: Run, suite: Suite, cache: VerdictCache) -> Scorers:
    """Tonight's scorers, with the verdicts that tonight's judges gave at any time."""
    probes = kept_probes(run.folder)
    kept = {name: KeptVerdicts(cache, version_of(probe), probe.started_at.date()) for name, probe in probes.items()}
    judges = [(one, {name: kept[name] for name in one.judges}) for one in build_judges(suite)]
    return Scorers(build_scorers(suite), judges)


def scoring_drop_pp(before: PairedCounts, after: PairedCounts) -> float:
    """What scoring the baseline's outputs again did to their pass rate, on the cases that count."""
    common = (before.base_measured > 0) & (after.base_measured > 0) & (after.measured > 0)
    if not common.any():
        return 0.0
    rates = [(side.base_passed[common] / side.base_measured[common]).mean() for side in (before, after)]
    return 100 * float(rates[0] - rates[1])


def outcome_again(scorers: Scorers, case: Case, output: Output) -> OutcomeState | None:
    """What a stored output counts as now; None where that takes a verdict that no judge gave yet."""
    if output.status not in SCOREABLE:
        return "unmeasured"
    answer = answer_in(output)
    findings = score_all(scorers.rules, answer, case)
    for judge, kept in scorers.judges:
        if judge.applies_to(case):
            finding = not_needed(findings) or kept_finding(judge, kept, answer, case)
            if finding is None:
                return None
            findings.append((judge.name, finding))
    return outcome_of(findings)[0]


def answer_in(output: Output) -> Answer:
    """A stored output as scorers see it."""
    refused = output.status == CallStatus.REFUSED_BY_PROVIDER
    return Answer(output.output or "", output.finish_reason, refused)


def kept_finding(scorer: RubricJudge, kept: Mapping[str, KeptVerdicts], answer: Answer, case: Case) -> Finding | None:
    """What a judge, or enough of a panel, found before."""
    posed = question_about(answer, case, scorer, secret=b"nobody is asked")
    if isinstance(posed, Finding):
        return posed
    verdicts = {name: said.of(posed) for name, said in kept.items()}
    findings = {name: finding_of(verdict, answer) if verdict else None for name, verdict in verdicts.items()}
    known = {name: finding for name, finding in findings.items() if finding}
    return majority(known) if is_settled(findings) else None


def with_base(
    counts: PairedCounts, stale: "NDArray[np.bool_]", passed: Mapping[str, int], measured: Mapping[str, int]
) -> PairedCounts:
    """The pairs with other counts on the baseline's side of some."""
    ids = counts.case_ids
    return replace(
        counts,
        base_passed=np.where(stale, np.array([passed[id] for id in ids]), counts.base_passed),
        base_measured=np.where(stale, np.array([measured[id] for id in ids]), counts.base_measured),
    )


def without(counts: PairedCounts, stale: "NDArray[np.bool_]") -> PairedCounts:
    """The pairs but some."""
    return replace(counts, **{name: getattr(counts, name)[~stale] for name in PER_CASE})
