"""What can become of a message, as closed sets."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Posted:
    """It is in the channel, under this name of Slack's."""

    ts: str
    channel: str


@dataclass(frozen=True, slots=True)
class Absent:
    """It is not in the channel."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It was certainly not posted. `general`: every other message would be refused as well."""

    code: str
    reason: str
    general: bool


@dataclass(frozen=True, slots=True)
class Doubtful:
    """It may have been posted. `general`: every other message would meet the same fate."""

    reason: str
    general: bool


class Delivery(NamedTuple):
    """What became of a message: `ts` is None where it waits for the next night, for a reason."""

    message_id: str
    ts: str | None
    reason: str = ""
