"""Have answers judged: what a judge said of the same question before counts, and nothing is asked twice."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from pydantic import ValidationError

from flows.evaluating.budgeting import RunBudget, open_budget
from flows.evaluating.probing import judge_client, kept_probes, why_not_asked
from flows.news import news_of
from flows.run import Run
from tasks.calls.budget import Purse
from tasks.calls.client import ModelClient, need_of
from tasks.calls.connections import connections
from tasks.calls.engine import Planned
from tasks.calls.journal import Journal, Trial
from tasks.calls.judge_version import JudgeVersion, version_of
from tasks.calls.lanes import Gates, ModelGate
from tasks.calls.rehearsal import Crib
from tasks.calls.verdict_cache import VERDICTS, VerdictCache
from tasks.records import Answer, Call, Case, Finding, Suite, TrialKey
from tasks.scoring.build import Scorer, score_all
from tasks.scoring.findings import unscored
from tasks.scoring.judge import Posed, RubricJudge, ask_judge, build_judges, finding_of, question_about
from tasks.scoring.judge_prompt import Message, pose
from tasks.scoring.judge_verdict import JudgeVerdict
from tasks.scoring.panel import majority
from tasks.scoring.templates import FAULTS

if TYPE_CHECKING:
    import aiohttp

NONCE = "0" * 32


class Judged(NamedTuple):
    """What a judge found, and the calls that it took."""

    finding: Finding
    calls: Sequence[Call] = ()


class KeptVerdicts:
    """What one version of a judge said before; `day` is for those that do not disclose their version.

    What it said when it was asked `again`, to see whether it says the same, is kept apart.
    """

    def __init__(self, cache: VerdictCache, version: JudgeVersion, day: date, *, again: bool = False) -> None:
        self._cache = cache
        self._judge = version.key(day) + (" again" if again else "")

    def of(self, posed: Posed) -> JudgeVerdict | None:
        """Its verdict on the same question."""
        kept = self._cache.get(self._judge, posed.key)
        try:
            return JudgeVerdict.model_validate_json(kept) if kept else None
        except ValidationError:
            return None

    def keep(self, posed: Posed, verdict: JudgeVerdict) -> None:
        """Keep a verdict for other nights."""
        self._cache.put(self._judge, posed.key, verdict.model_dump_json())


class Judge:
    """One judge of a run, asked by the scorers of every suite that names it."""

    def __init__(
        self,
        client: ModelClient,
        gate: ModelGate,
        probe: Call,
        cache: VerdictCache,
        purse: Purse | None,
        *,
        record: Callable[[Trial], None],
        again: bool = False,
    ) -> None:
        self.purse = purse
        self._record = record
        self._client = client
        self._gate = gate
        self._version = version_of(probe)
        self._kept = KeptVerdicts(cache, self._version, probe.started_at.date(), again=again)
        self._secret = secrets.token_bytes(32)
        self._under_way: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._why_not = why_not_asked(probe)

    def most_usd(self, scorer: RubricJudge, case: Case, answer_bytes: int) -> float:
        """What one question about an answer of that length may cost; nothing where there is no budget to keep."""
        if self.purse is None or self._why_not:
            return 0.0
        try:
            messages = pose(scorer.rubric, case, "", nonce=NONCE).messages(NONCE)
        except FAULTS:
            return 0.0  # such a case is not asked about
        need = need_of(messages, self._client.longest_answer)
        return self.purse.most_usd(need._replace(most_prompt_tokens=need.most_prompt_tokens + answer_bytes))

    async def find(
        self, scorer: RubricJudge, answer: Answer, planned: Planned, suite: Suite, *, truth: bool | None = None
    ) -> Judged:
        """Judge one answer; trials with the same answer wait for the first of them, and take its verdict.

        `truth` is for simulated judges alone: whether the answer is right, where people said so.
        """
        posed = question_about(answer, planned.case, scorer, secret=self._secret)
        if isinstance(posed, Finding):
            return Judged(posed)
        async with self._under_way.setdefault(posed.key, asyncio.Lock()):
            if known := self._kept.of(posed):
                return Judged(finding_of(known, answer))
            if why_not := self._why_not or self._gate.stopped:
                return Judged(unscored(f"the judge could not be asked: {why_not}"))
            calls: list[Call] = []
            crib = Crib(case=planned.case, scorers=suite.config.scorers, judged=answer.text, truth=truth)
            verdict = await ask_judge(posed, partial(self._ask, calls, planned.key, scorer.name, crib))
            return Judged(self._finding_of(verdict, posed, answer, calls), calls)

    async def _ask(self, calls: list[Call], key: TrialKey, scorer: str, crib: Crib, messages: list[Message]) -> Call:
        call = await self._client.ask(messages, key=key, role="judge", scorer=scorer, crib=crib)
        if call.attempts:
            self._record(Trial(key, (call,)))  # at once: what else the question takes may be cut off
            calls.append(call)
        return call

    def _finding_of(
        self, verdict: JudgeVerdict | Finding, posed: Posed, answer: Answer, calls: Sequence[Call]
    ) -> Finding:
        """Keep the verdict, if it is one of the judge that was probed: a run has one version of each."""
        if isinstance(verdict, Finding):
            return verdict
        if other := next((version for version in map(version_of, calls) if version != self._version), None):
            return unscored(f"the judge answered as {other}, and its probe as {self._version}")
        self._kept.keep(posed, verdict)
        return finding_of(verdict, answer)


class Panel(NamedTuple):
    """A scorer with the judges that it asks: one, or several of which the majority counts."""

    scorer: RubricJudge
    judges: Sequence[Judge]

    async def find(self, answer: Answer, planned: Planned, suite: Suite, *, truth: bool | None = None) -> Judged:
        """Have one answer judged by all of them at once."""
        asked = (judge.find(self.scorer, answer, planned, suite, truth=truth) for judge in self.judges)
        found = await asyncio.gather(*asked)
        findings = {name: one.finding for name, one in zip(self.scorer.judges, found, strict=True)}
        return Judged(majority(findings), [call for one in found for call in one.calls])


class Judges:
    """The judges of a run in this process, each opened when it is first needed."""

    def __init__(
        self,
        run: Run,
        session: "aiohttp.ClientSession",
        gates: Gates,
        cache: VerdictCache,
        budget: RunBudget | None,
        journal: Journal,
    ) -> None:
        self._run = run
        self._journal = journal
        self._session = session
        self._gates = gates
        self._cache = cache
        self._budget = budget
        self._judges: dict[tuple[str, bool], Judge] = {}

    def panels(self, suite: Suite, *, again: bool = False) -> list[Panel]:
        """Who judges the answers of a suite; `again` asks what was asked before, and keeps that apart."""
        return [
            Panel(scorer, [self._judge(name, again=again) for name in scorer.judges]) for scorer in build_judges(suite)
        ]

    def _judge(self, name: str, *, again: bool) -> Judge:
        if (name, again) not in self._judges:
            config = self._run.judge_named(name)
            purse = self._budget.purse(config) if self._budget else None
            gate = self._gates.of(config, purse)
            client = judge_client(self._run, config, session=self._session, gate=gate)
            probe = kept_probes(self._run.folder)[name]
            self._judges[name, again] = Judge(client, gate, probe, self._cache, purse, record=self._record, again=again)
        return self._judges[name, again]

    def _record(self, trial: Trial) -> None:
        self._journal.append(trial)
        self._run.tell(news_of(trial))


@asynccontextmanager
async def open_judging(run: Run, calls: Mapping[str, int], journal: str) -> AsyncIterator[Judges]:
    """Judges alone, for so many calls of each payer, with a journal of that name."""
    log = Journal(run.folder.path / journal)
    try:
        with VerdictCache(run.results / VERDICTS) as cache:
            async with connections(run.config.concurrency) as session:
                gates, budget = Gates(run.config.concurrency, ledger=run.ledger), open_budget(run, run.ledger)
                if budget:
                    budget.expect(calls)
                yield Judges(run, session, gates, cache, budget, log)
    finally:
        log.close()


async def score_answer(
    rules: Iterable[Scorer], panels: Iterable[Panel], answer: Answer, planned: Planned, suite: Suite
) -> tuple[list[tuple[str, Finding]], list[Call]]:
    """What every scorer that applies finds, judges last, and the calls that it took."""
    findings, calls = score_all(rules, answer, planned.case), list[Call]()
    for panel in panels:
        if panel.scorer.applies_to(planned.case):
            skipped = not_needed(findings)
            found = Judged(skipped) if skipped else await panel.find(answer, planned, suite)
            findings.append((panel.scorer.name, found.finding))
            calls += found.calls
    return findings, calls


def not_needed(findings: Iterable[tuple[str, Finding]]) -> Finding | None:
    """What stands for a judge's finding where another scorer has failed the answer already: the judge costs money."""
    failed = next((name for name, finding in findings if finding.passed is False), None)
    return unscored(f"not asked: {failed} had failed it already") if failed is not None else None
