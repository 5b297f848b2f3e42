"""Bring a night's digest to Slack, behind whatever could not be delivered before it."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tasks.alerts.digest import Digest
from tasks.alerts.message import Message, compose
from tasks.alerts.outbox import Outbox, Queued, Unreadable
from tasks.alerts.outcomes import Absent, Delivery, Doubtful, Posted, Refused
from tasks.config import SlackConfig

if TYPE_CHECKING:
    from tasks.alerts.slack import SlackChannel

POSTS = 3
"""Of one message at one time; repeated only where the one before is not in the channel."""

TOKEN = re.compile(r"[!-~]+")


class Patience(NamedTuple):
    """How many seconds to wait: for an answer, when Slack asks to, before a doubtful post is looked for, and while
    another process delivers."""

    timeout_s: int = 30
    rate_limit_s: int = 120
    settle_s: float = 3
    other_process_s: float = 120


PATIENCE = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What became of tonight's message and of those that waited before it.

    `message` is None in a quiet night, and where it had been delivered before.
    """

    message: Message | None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def undelivered(self) -> tuple[Delivery, ...]:
        """Those that wait for the next night."""
        return tuple(delivery for delivery in self.deliveries if delivery.ts is None)

    @property
    def to_print(self) -> Message | None:
        """Tonight's message, where Slack does not have it."""
        sent = {delivery.message_id for delivery in self.deliveries if delivery.ts is not None}
        return None if self.message is None or self.message.id in sent else self.message


def send_digest(
    results: Path, slack: SlackConfig, token: str | None, digest: Digest | None, *, patience: Patience = PATIENCE
) -> DeliveryReport:
    """Deliver what waits and then tonight's message; what cannot be delivered waits for the next night.

    A message is on the disk before it is sent. Without a channel or token it is only there to be printed. Raises
    RunBroken where it cannot be kept on the disk.
    """
    outbox = Outbox(results)
    message = None if digest is None or outbox.has_sent(digest.run_id) else compose(digest)
    if slack.channel is None or not token:
        return DeliveryReport(message=message, deliveries=left(outbox.waiting(), "no Slack channel or token is set"))
    if message is not None:
        outbox.put(message)
    return DeliveryReport(message=message, deliveries=empty(outbox, slack, token.strip(), patience))


def empty(outbox: Outbox, slack: SlackConfig, token: str, patience: Patience) -> tuple[Delivery, ...]:
    """Deliver everything that waits, oldest first, while no other process does."""
    if not outbox.waiting():
        return ()
    if not TOKEN.fullmatch(token):  # it would end up in an error's text
        return left(outbox.waiting(), "the Slack token holds characters that no token has")
    from tasks.alerts.slack import SlackChannel

    channel = SlackChannel(
        slack.channel or "",
        token=token,
        api_url=slack.api_url,
        timeout_s=patience.timeout_s,
        rate_limit_s=patience.rate_limit_s,
    )
    with outbox.held(wait_s=patience.other_process_s) as held:
        if not held:
            return left(outbox.waiting(), "another process is delivering")
        return tuple(deliver(outbox, channel, settle_s=patience.settle_s))


def left(waiting: Iterable[Queued | Unreadable], reason: str) -> tuple[Delivery, ...]:
    """Leave messages where they are."""
    return tuple(Delivery(one.message_id, None, reason) for one in waiting)


def deliver(outbox: Outbox, channel: "SlackChannel", *, settle_s: float) -> Iterator[Delivery]:
    """Deliver the messages in their order; after a failure that would meet them all, the rest is left."""
    waiting = iter(outbox.waiting())
    for one in waiting:
        if isinstance(one, Unreadable):
            yield Delivery(one.message_id, None, one.reason)
            continue
        match deliver_one(one, outbox, channel, settle_s=settle_s):
            case Posted(ts=ts):
                yield Delivery(one.message_id, ts)
            case Absent():
                yield Delivery(one.message_id, None, f"Slack did not take it {POSTS} times")
            case Refused(reason=reason, general=general) | Doubtful(reason=reason, general=general):
                yield Delivery(one.message_id, None, reason)
                if general:
                    yield from left(waiting, reason)


def deliver_one(
    queued: Queued, outbox: Outbox, channel: "SlackChannel", *, settle_s: float
) -> Posted | Absent | Refused | Doubtful:
    """Post a message unless it is in the channel already, and look for it whenever that is in doubt."""
    outcome: Posted | Absent | Refused | Doubtful = Absent()
    if queued.attempted_at is not None:
        outcome = channel.find(queued.message, since=queued.attempted_at)
    for _ in range(POSTS):
        if not isinstance(outcome, Absent):
            break
        attempted_at = queued.attempted_at or time.time()
        outbox.keep(replace(queued, attempted_at=attempted_at))
        outcome = channel.post(queued.message)
        if isinstance(outcome, Refused):
            outbox.keep(queued)
        if isinstance(outcome, Doubtful):
            queued = replace(queued, attempted_at=attempted_at)
            time.sleep(settle_s)
            outcome = channel.find(queued.message, since=attempted_at)
    if isinstance(outcome, Posted):
        outbox.settle(queued, outcome)
    return outcome
