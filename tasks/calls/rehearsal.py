"""Simulated models, `rehearsal/…`: they know a suite's labels and answer with a stated skill, reproducibly by seed.

Whether a model knows a case is a fixed property of (seed, suite, case): versions of one family share a seed and answer
alike, and a weaker one loses cases that the stronger had. Flaky cases change from trial to trial and night to night.
They are asked through litellm like any other model; a crib tells them what a real one would know by itself.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from pydantic import ValidationError

from tasks.calls.rehearsed_answers import Draw, is_right, right_answer, wrong_answer
from tasks.config import NotNegative, ScorerConfig, Share, Text, Written
from tasks.documents.wording import nearest
from tasks.records import Case, Role, TrialKey

IGNORED_PARAMS = frozenset(
    {
        "frequency_penalty", "logprobs", "max_completion_tokens", "max_tokens", "presence_penalty", "reasoning_effort",
        "response_format", "stop", "temperature", "top_logprobs", "top_p", "user",
    }
)  # fmt: skip
"""What a suite may set for any model; of these a simulated one heeds the longest answer alone."""


class Manner(Written):
    """How a simulated model behaves: its `params`.

    It knows a share `skill` of the cases, and of those with a kind or tag that `weak_on` names the share given there. A
    share `flaky` of the cases is answered right as often as `skill` says, anew each time. Of its wrong answers to free
    questions a share `refuses`, and a share `hallucinates`. As a judge it passes right answers with probability
    `sensitivity` and fails wrong ones with probability `specificity`. `served_as` is the version that it reports.
    """

    skill: Share = 0.9
    flaky: Share = 0.05
    weak_on: Mapping[str, Share] = {}
    refuses: Share = 0.0
    hallucinates: Share = 0.0
    sensitivity: Share = 0.95
    specificity: Share = 0.9
    latency_ms: NotNegative = 50.0
    seed: int = 0
    served_as: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crib:
    """What a simulated model gets to know about the question.

    `scorers` are all of the suite; `others` expected values of other cases; `salt` tells nights apart. For a judge,
    `judged` is the answer in question and `truth` whether it is right, where the caller knows better than by comparing.
    """

    case: Case
    scorers: Sequence[ScorerConfig]
    others: Sequence[Any] = ()
    salt: str | int = 0
    judged: str | None = None
    truth: bool | None = None


class Asked(NamedTuple):
    """The question that is being asked in the current task."""

    key: TrialKey
    role: Role
    crib: Crib | None


ASKED: ContextVar[Asked | None] = ContextVar("ASKED", default=None)


class Performance(NamedTuple):
    """A simulated answer."""

    text: str
    finish_reason: str
    served_as: str
    prompt_tokens: int
    completion_tokens: int


def problems_of_params(params: Mapping[str, Any]) -> list[str]:
    """What is wrong with the params of a simulated model, each as `name: what`."""
    try:
        Manner.model_validate({name: value for name, value in params.items() if name not in IGNORED_PARAMS})
    except ValidationError as error:
        return [in_words(one) for one in error.errors()]
    return []


def in_words(error: Mapping[str, Any]) -> str:
    """One mistake, as pydantic found it, with the param that was probably meant."""
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"{name}: expected a param of simulated models, which this is not; {nearest(name, Manner.model_fields)}"
    return f"{name}: {error['msg']} (got {error['input']!r})"


def manner_of(params: Mapping[str, Any]) -> Manner:
    """Read the params of a simulated model, leaving alone what is not for it."""
    return Manner.model_validate({name: params[name] for name in Manner.model_fields if name in params})


def asked_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """The params of a simulated model without its version, which stands beside them as what answered."""
    return {name: value for name, value in params.items() if name != "served_as"}


async def perform(model: str, messages: Sequence[Mapping[str, Any]], params: Mapping[str, Any]) -> Performance:
    """Answer what is being asked in the current task, after the time it takes."""
    manner = manner_of(params)
    asked = ASKED.get()
    await asyncio.sleep(latency_s(manner, asked))
    text, finish_reason = cut(
        say(manner, model, asked), params.get("max_completion_tokens") or params.get("max_tokens")
    )
    return Performance(
        text=text,
        finish_reason=finish_reason,
        served_as=manner.served_as or model,
        prompt_tokens=sum(tokens_of(str(message.get("content"))) for message in messages),
        completion_tokens=tokens_of(text),
    )


def cut(text: str, max_tokens: int | None) -> tuple[str, str]:
    """An answer as long as it may be, with its finish reason."""
    if max_tokens is None or tokens_of(text) <= max_tokens:
        return text, "stop"
    return text[: 4 * max_tokens - 4], "length"


def say(manner: Manner, model: str, asked: Asked | None) -> str:
    """The words of the answer."""
    if asked is None or asked.crib is None:
        return "OK."
    crib, case = asked.crib, asked.crib.case
    draw = partial(uniform, manner.seed, asked.key.suite, case.id)
    scorers = [scorer for scorer in crib.scorers if scorer.kinds is None or case.kind in scorer.kinds]
    if asked.role == "judge":
        truth = is_right(crib.judged or "", case, scorers) if crib.truth is None else crib.truth
        return verdict(manner, partial(draw, model, crib.judged), truth=truth)
    if knows(manner, asked.key, crib):
        return right_answer(case, scorers, draw)
    return wrong_answer(case, scorers, crib.others, draw, refuses=manner.refuses, hallucinates=manner.hallucinates)


def knows(manner: Manner, key: TrialKey, crib: Crib) -> bool:
    """True when the model gets this trial of the case right."""
    slices = (crib.case.kind, *crib.case.tags)
    skill = min((manner.weak_on[name] for name in slices if name in manner.weak_on), default=manner.skill)
    of_case = (manner.seed, key.suite, crib.case.id)
    if uniform(*of_case, "flaky") < manner.flaky:
        return uniform(*of_case, key.model, key.phase, key.trial, crib.salt) < skill
    return uniform(*of_case, "knows") < skill


def verdict(manner: Manner, draw: Draw, *, truth: bool) -> str:
    """A judge's reply, wrong as often as its sensitivity and specificity say."""
    errs = draw("errs") >= (manner.sensitivity if truth else manner.specificity)
    passes = truth != errs
    reasoning = "It says what was expected." if passes else "It does not say what was expected."
    confidence = round(0.6 + 0.39 * draw("confidence"), 2)
    return json.dumps({"reasoning": reasoning, "verdict": "pass" if passes else "fail", "confidence": confidence})


def latency_s(manner: Manner, asked: Asked | None) -> float:
    """The time an answer takes: within a quarter of the stated one."""
    spread = uniform(manner.seed, *asked.key) if asked else 0.5
    return manner.latency_ms / 1000 * (0.75 + 0.5 * spread)


def tokens_of(text: str) -> int:
    """About as many tokens as a real model would count."""
    return len(text) // 4 + 1


def uniform(*of: object) -> float:
    """A number in [0, 1) that is the same for the same arguments, and as good as random over different ones."""
    digest = hashlib.blake2b(repr(of).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
