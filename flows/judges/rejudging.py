"""Have the stored answers of baselines judged as tonight's are, so that a change of judge looks like nothing else.

What is learned goes where every verdict goes, to those that are kept; comparing then finds it there.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, NamedTuple

from flows.comparing.pairing import base_side, this_side
from flows.evaluating.judging import Panel, open_judging, score_answer
from flows.judges.rescoring import answer_in, change_since, outcome_again, outputs_of, scorers_without_asking
from flows.judges.trust import refusal
from flows.planning.payers import payer_name
from flows.run import Rejudged, Run
from flows.signals import until_stopped
from tasks.calls.engine import MEASURED, Planned
from tasks.calls.verdict_cache import VERDICTS, VerdictCache
from tasks.datasets.stored import read_stored
from tasks.plan import PlannedCell, stored_cases
from tasks.records import Answer, Suite, TrialKey
from tasks.scoring.build import Scorer, build_scorers
from tasks.scoring.judge import build_judges
from tasks.storage.counts import paired_counts

JOURNAL = "journal-rejudged.jsonl"


class Unjudged(NamedTuple):
    """A baseline's answer that tonight's judges have not seen."""

    who: Rejudged
    suite: Suite
    planned: Planned
    answer: Answer


def may_be_needed(run: Run) -> bool:
    """True where a stored baseline was judged at all."""
    return any(cell.baseline and cell.baseline.run_id and has_judges(run, cell) for cell in run.plan.cells)


def has_judges(run: Run, cell: PlannedCell) -> bool:
    """True where a cell's suite asks judges."""
    return bool(build_judges(run.plan.suite_named(cell.suite)))


def is_refused(run: Run, cell: PlannedCell) -> bool:
    """True where what a cell's judge says counts for nothing."""
    return refusal(run.standings_of(run.plan.suite_named(cell.suite))) is not None


async def judge_baselines_again(run: Run) -> bool:
    """Ask what is missing, within the budget; True if anything was asked."""
    wanted = await asyncio.to_thread(lambda: list(unjudged(run)))
    if not wanted:
        return False
    async with open_judging(run, calls_for(run, wanted), JOURNAL) as judges:
        panels = {one.suite.name: judges.panels(one.suite) for one in wanted}
        rules = {one.suite.name: build_scorers(one.suite) for one in wanted}
        work = [judge_one(run, one, rules[one.suite.name], panels[one.suite.name]) for one in wanted]
        await until_stopped(asyncio.ensure_future(all_of(work)), run.stop)
    return True


async def all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do everything at once, as far as the gates allow."""
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(one)


async def judge_one(run: Run, one: Unjudged, rules: tuple[Scorer, ...], panels: list[Panel]) -> None:
    """Have one answer judged; its verdict is kept."""
    findings, calls = await score_answer(rules, panels, one.answer, one.planned, one.suite)
    is_answered = calls and all(call.status in MEASURED for call in calls)
    if is_answered and any(finding.passed is None for _, finding in findings):
        run.speechless.add(one.who)
    for purse in (judge.purse for panel in panels for judge in panel.judges):
        if purse:
            purse.did(1)


def calls_for(run: Run, wanted: list[Unjudged]) -> Counter[str]:
    """How many calls that is for each judge."""
    calls: Counter[str] = Counter()
    for one in wanted:
        for scorer in build_judges(one.suite):
            calls.update(payer_name(run.judge_named(name)) for name in scorer.judges)
    return calls


def unjudged(run: Run) -> Iterator[Unjudged]:
    """Every answer of a baseline whose outcome tonight takes a verdict that no judge has given yet."""
    with VerdictCache(run.results / VERDICTS) as cache:
        seen: set[Rejudged] = set()
        for cell in run.plan.cells:
            if cell.baseline and cell.baseline.run_id and has_judges(run, cell) and not is_refused(run, cell):
                for one in unjudged_of_cell(run, cell, cache):
                    if one.who not in seen:
                        seen.add(one.who)
                        yield one


def unjudged_of_cell(run: Run, cell: PlannedCell, cache: VerdictCache) -> Iterator[Unjudged]:
    """Those of one cell's baseline, as far as its cases are tonight's, it was measured, and something changed."""
    suite = run.plan.suite_named(cell.suite)
    assert cell.baseline is not None  # noqa: S101 (the caller has looked)
    base = base_side(run, suite, cell.baseline)
    counts = paired_counts(run.results, suite.name, base=base, side=this_side(run, suite, cell))
    change = change_since(run, suite, base, counts)
    if change is None:
        return
    ids = set(counts.case_ids[change.stale])
    cases = {
        case.id: case for case in read_stored(stored_cases(run.results, suite), 0, suite.n_cases) if case.id in ids
    }
    scorers = scorers_without_asking(run, suite, cache)
    for output, who, is_measured in outputs_of(run, suite, base, ids):
        if is_measured and outcome_again(scorers, cases[output.case_id], output) is None:
            key = TrialKey(run.id, suite.name, base.model, output.case_id, output.trial, "rejudged")
            yield Unjudged(who, suite, Planned(key, cases[output.case_id]), answer_in(output))
