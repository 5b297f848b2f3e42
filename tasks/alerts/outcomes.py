"""What can become of a message, as closed sets."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Reach = Literal["message", "channel", "all"]
"""Whom a failure would meet as well: nobody else, every message of the channel, or everything."""


@dataclass(frozen=True, slots=True)
class Posted:
    """It is in Slack: its time stamp, which is its name in the channel, and the channel's id."""

    ts: str
    channel: str


@dataclass(frozen=True, slots=True)
class Absent:
    """It is not in the channel."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It certainly had no effect."""

    code: str
    reason: str
    reach: Reach


@dataclass(frozen=True, slots=True)
class Doubtful:
    """It may have been posted."""

    reason: str
    reach: Reach


Sending = Posted | Absent | Refused | Doubtful


class Delivery(NamedTuple):
    """What became of a message: `ts` is None where it waits for the next night, for a reason."""

    message_id: str
    ts: str | None
    reason: str = ""
