"""What a judge replies: one verdict of a strict form, or something that cannot be read as one."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.scoring.findings import excerpt
from tasks.scoring.json_text import Json, NotJson, read_json


class JudgeVerdict(BaseModel):
    """A judge's verdict on one answer; reasoning comes first, so that it is thought of first."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    reasoning: str
    verdict: Literal["pass", "fail"]
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


VERDICT_SCHEMA = JudgeVerdict.model_json_schema()
"""For providers that can be told the form of an answer."""

SAID_AT_THE_END = re.compile(
    r"\bverdict[\s:=*_-]{1,9}(?:is[\s:*_]{1,9})?(pass|fail)(?:ed|es|s)?[\s.!*_]{0,9}$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Unparseable:
    """A reply that is no verdict: why, in our words, and what came, in words of others."""

    reason: str
    got: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.got}"


def parse_verdict(text: str) -> JudgeVerdict | Unparseable:
    """Read a reply that is one verdict as JSON, alone or in one code fence.

    Nothing is guessed: prose around it, two verdicts, a key given twice, a field that is missing, unknown or of another
    form ("PASS", "pass/fail", 95 %) and a reasoning that ends in the opposite verdict are all unparseable.
    """
    match read_json(text):
        case NotJson(reason, got):
            return Unparseable(f"the reply is {reason}" if reason.startswith("not") else reason, got)
        case Json(value):
            return verdict_of(value)


def verdict_of(value: object) -> JudgeVerdict | Unparseable:
    """A parsed reply as a verdict."""
    try:
        verdict = JudgeVerdict.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the reply"
        reason = (
            f"{field}: {first['msg']}" if field in JudgeVerdict.model_fields else "not the fields that were asked for"
        )
        return Unparseable(reason, excerpt(first["input"]))
    said = SAID_AT_THE_END.search(verdict.reasoning[-60:].rstrip())
    if said and said[1].lower() != verdict.verdict:
        return Unparseable("the reasoning ends in the opposite of the verdict", excerpt(said[0]))
    return verdict
