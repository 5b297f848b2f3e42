"""Where each attempt of a call waits for its turn, and what it tells when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tasks.records import CallStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one attempt went. `headers` holds what the provider says of its limits, with names in lower case."""

    status: CallStatus
    latency_ms: float | None = None
    retry_after_s: float | None = None
    stop_model: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class NotAdmitted(Exception):
    """The gate stays shut for this call; it ends with that status and is not sent."""

    def __init__(self, status: CallStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gatekeeper(Protocol):
    """Says when an attempt may start; `leave` follows each `enter` that returned."""

    async def enter(self, estimated_tokens: int) -> None:
        """Wait for the turn; raises NotAdmitted where none will come."""

    def leave(self, attempt: Attempt | None) -> None:
        """Hear how it went; None if it was cancelled."""


class OpenGate:
    """Lets everything through at once."""

    async def enter(self, estimated_tokens: int) -> None:
        """Wait for nothing."""

    def leave(self, attempt: Attempt | None) -> None:
        """Learn nothing."""
