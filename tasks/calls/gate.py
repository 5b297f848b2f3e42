"""Where each attempt of a call waits for its turn, and what it tells when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from tasks.records import CallStatus


class Need(NamedTuple):
    """What an attempt may take: tokens as a provider's limits would guess them, and the most that they can be.

    `most_answer_tokens` is None where nothing bounds the answer.
    """

    tokens: int
    most_prompt_tokens: int
    most_answer_tokens: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one attempt went. `headers` holds what the provider says of its limits, with names in lower case.

    `stop_model` says that every other call of this model would end the same way, for the reason in `error`.
    """

    status: CallStatus
    latency_ms: float | None = None
    retry_after_s: float | None = None
    stop_model: bool = False
    error: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class NotAdmitted(Exception):
    """The gate stays shut for this call; it ends with that status and is not sent."""

    def __init__(self, status: CallStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Admission(Protocol):
    """One attempt that was let through."""

    def leave(self, attempt: Attempt | None) -> None:
        """Hear how it went; None if it was cancelled. Called once."""


class Gatekeeper(Protocol):
    """Says when an attempt may start."""

    async def enter(self, need: Need) -> Admission:
        """Wait for the turn; raises NotAdmitted where none will come."""


class OpenGate:
    """Lets everything through at once, and learns nothing."""

    async def enter(self, need: Need) -> Admission:
        """Wait for nothing."""
        return self

    def leave(self, attempt: Attempt | None) -> None:
        """Learn nothing."""
