"""`judge`: a model that reads a rubric and says pass or fail. Who asks it is passed in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tasks.config import JudgeScorer
from tasks.records import Answer, Call, CallStatus, Case, Finding, Suite
from tasks.scoring.findings import PROVIDER_REFUSED, finding_without_reading, marked, one_line, unscored
from tasks.scoring.judge_prompt import Message, Question, build_repair, draw_nonce, pose
from tasks.scoring.judge_verdict import JudgeVerdict, Unparseable, parse_verdict
from tasks.scoring.refusal import refusal_in
from tasks.scoring.rubric import Rubric, rubric_named
from tasks.scoring.templates import FAULTS

KEPT_BACK = frozenset({CallStatus.BUDGET, CallStatus.MODEL_STOPPED})

Ask = Callable[[list[Message]], Awaitable[Call]]
"""Asks a judge; raises nothing but cancellation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricJudge:
    """A judge scorer of a suite: `judges` names the judge of the config, or those of its panel."""

    name: str
    kinds: frozenset[str] | None
    judges: tuple[str, ...]
    rubric: Rubric

    def applies_to(self, case: Case) -> bool:
        """True when the scorer is for cases of this kind."""
        return self.kinds is None or case.kind in self.kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """A question about one answer, ready to be asked behind a fence that nobody knows who does not know `secret`."""

    question: Question
    case: Case
    nonce: str
    secret: bytes = field(repr=False)

    @property
    def key(self) -> str:
        """The same for the same question, whatever the secret: by it a verdict can be found again."""
        return self.question.key


def build_judges(suite: Suite) -> tuple[RubricJudge, ...]:
    """The judge scorers of a suite, in its order."""
    return tuple(
        RubricJudge(
            name=config.name or config.type,
            kinds=None if config.kinds is None else frozenset(config.kinds),
            judges=config.judges,
            rubric=rubric_named(config.rubric, suite.files),
        )
        for config in suite.config.scorers
        if isinstance(config, JudgeScorer)
    )


def question_about(answer: Answer, case: Case, scorer: RubricJudge, *, secret: bytes) -> Posed | Finding:
    """What to ask a judge about an answer, or what is found without asking.

    `secret` belongs to the run and is never shown to a model.
    """
    if answer.refused_by_provider:
        return unscored(PROVIDER_REFUSED)
    if known := finding_without_reading(answer):
        return known
    nonce = draw_nonce(secret, case, *(text for _, text in scorer.rubric.texts), answer.text)
    try:
        question = pose(scorer.rubric, case, answer.text, nonce=nonce)
    except FAULTS as error:
        return unscored(one_line(f"the rubric cannot be used with this case: {error}"))
    return Posed(question=question, case=case, nonce=nonce, secret=secret)


async def ask_judge(posed: Posed, ask: Ask) -> JudgeVerdict | Finding:
    """Ask, and once more if the reply cannot be read.

    Passed and failed are the judge's word alone. A call that failed, a judge that refuses and two replies that cannot
    be read leave the answer unscored.
    """
    messages = posed.question.messages(posed.nonce)
    reply = await ask(messages)
    verdict = read_reply(reply)
    if not isinstance(verdict, Unparseable):
        return verdict
    bad_text = text_of(reply).replace(posed.nonce, "…")  # it knows the fence, and may have been told to repeat it
    nonce = draw_nonce(posed.secret, posed.case, posed.nonce, bad_text)
    second = read_reply(await ask(build_repair(messages, bad_text, verdict.reason, nonce=nonce)))
    if isinstance(second, Unparseable):
        return unscored(one_line(f"the judge gave no verdict that can be read, twice: {second}"))
    return second


def finding_of(verdict: JudgeVerdict, answer: Answer) -> Finding:
    """A verdict as a finding, whose value is how sure the judge is that the answer passes, from 0 to 1."""
    ok = verdict.verdict == "pass"
    return marked(
        Finding(ok, one_line(verdict.reasoning), verdict.confidence if ok else 1 - verdict.confidence), answer
    )


def read_reply(reply: Call) -> JudgeVerdict | Finding | Unparseable:
    """A reply as a verdict, as a finding where there can be none, or as something to ask about again."""
    if reply.status is CallStatus.REFUSED_BY_PROVIDER:
        return unscored("the judge refused")
    if reply.status is not CallStatus.ANSWERED:
        return unscored(one_line(f"the judge could not be asked: {why_not(reply)}"))
    verdict = parse_verdict(text_of(reply))
    if not isinstance(verdict, Unparseable):
        return verdict
    if refusal_in(text_of(reply)):
        return unscored("the judge refused")
    if reply.finish_reason == "length":
        return Unparseable("it was cut off by max_tokens", verdict.got)
    return verdict


def why_not(reply: Call) -> str:
    """How a call ended that brought no answer; where it was kept from being sent, the reason says so itself."""
    status = reply.status.value.replace("_", " ")
    if not reply.error:
        return status
    return reply.error if reply.status in KEPT_BACK else f"{status}: {reply.error}"


def text_of(reply: Call) -> str:
    """What a judge wrote."""
    return reply.output or ""
