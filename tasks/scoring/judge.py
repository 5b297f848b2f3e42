"""`judge`: a model that reads a rubric and says pass or fail. Who asks it is passed in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tasks.config import JudgeScorer
from tasks.records import Answer, CallStatus, Case, Finding, Suite
from tasks.scoring.findings import PROVIDER_REFUSED, finding_without_reading, marked, one_line, unscored
from tasks.scoring.judge_prompt import Message, Question, build_repair, digest, draw_nonce, pose
from tasks.scoring.judge_verdict import JudgeVerdict, Unparseable, parse_verdict
from tasks.scoring.refusal import refusal_in
from tasks.scoring.templates import FAULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeReply:
    """How a call to a judge ended; `text` is what it wrote, `error` why it wrote nothing."""

    status: CallStatus
    text: str = ""
    error: str = ""
    finish_reason: str | None = None


Ask = Callable[[list[Message], str], Awaitable[JudgeReply]]
"""Asks a judge; the text is a key that is the same for the same question, for a cache of one judge's answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricJudge:
    """A judge scorer of a suite: `judge` names the judge of the config, `rubric` is the template's text."""

    name: str
    kinds: frozenset[str] | None
    judge: str
    rubric: str

    def applies_to(self, case: Case) -> bool:
        """True when the scorer is for cases of this kind."""
        return self.kinds is None or case.kind in self.kinds


def build_judges(suite: Suite) -> tuple[RubricJudge, ...]:
    """The judge scorers of a suite, in its order."""
    return tuple(
        RubricJudge(
            name=config.name or config.type,
            kinds=None if config.kinds is None else frozenset(config.kinds),
            judge=config.judge,
            rubric=suite.files[config.rubric],
        )
        for config in suite.config.scorers
        if isinstance(config, JudgeScorer)
    )


async def judge(scorer: RubricJudge, answer: Answer, case: Case, ask: Ask, *, secret: bytes) -> Finding:
    """Ask about one answer, and once more if the reply cannot be read.

    Passed and failed are the judge's word alone. A call that failed, a judge that refuses and two replies that cannot
    be read leave the case unscored. The value is how sure the judge is that the answer passes, from 0 to 1.
    `secret` belongs to the run and is never shown to a model.
    """
    if answer.refused_by_provider:
        return unscored(PROVIDER_REFUSED)
    if known := finding_without_reading(answer):
        return known
    nonce = draw_nonce(secret, case, scorer.rubric, answer.text)
    try:
        question = pose(scorer.rubric, case, answer.text, nonce=nonce)
    except FAULTS as error:
        return unscored(one_line(f"the rubric cannot be used with this case: {error}"))
    return marked(await ask_twice(question, case, ask, secret=secret, nonce=nonce), answer)


async def ask_twice(question: Question, case: Case, ask: Ask, *, secret: bytes, nonce: str) -> Finding:
    """Ask, and if the reply cannot be read, ask for a better one."""
    messages = question.messages(nonce)
    reply = await ask(messages, question.key)
    verdict = read_reply(reply)
    if not isinstance(verdict, Unparseable):
        return finding_of(verdict)
    bad_text = reply.text.replace(nonce, "…")  # the judge knows the first fence, and may have been told to repeat it
    repair = build_repair(messages, bad_text, verdict.reason, nonce=draw_nonce(secret, case, nonce, bad_text))
    second = read_reply(await ask(repair, digest([question.key, verdict.reason], bad_text)))
    if isinstance(second, Unparseable):
        return unscored(one_line(f"the judge gave no verdict that can be read, twice: {second}"))
    return finding_of(second)


def read_reply(reply: JudgeReply) -> JudgeVerdict | Finding | Unparseable:
    """A reply as a verdict, as a finding where there can be none, or as something to ask about again."""
    if reply.status is CallStatus.REFUSED_BY_PROVIDER:
        return unscored("the judge refused")
    if reply.status is not CallStatus.ANSWERED:
        error = f": {reply.error}" if reply.error else ""
        return unscored(one_line(f"the judge could not be asked: {reply.status.value.replace('_', ' ')}{error}"))
    verdict = parse_verdict(reply.text)
    if not isinstance(verdict, Unparseable):
        return verdict
    if refusal_in(reply.text):
        return unscored("the judge refused")
    if reply.finish_reason == "length":
        return Unparseable("it was cut off by max_tokens", verdict.got)
    return verdict


def finding_of(verdict: JudgeVerdict | Finding) -> Finding:
    """A verdict as a finding."""
    if isinstance(verdict, Finding):
        return verdict
    ok = verdict.verdict == "pass"
    return Finding(ok, one_line(verdict.reasoning), verdict.confidence if ok else 1 - verdict.confidence)
