"""Bring messages to Slack, in order and once each, behind whatever could not be delivered before."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tasks.alerts.message import Message
from tasks.alerts.outbox import Outbox, Queued, Unreadable
from tasks.alerts.outcomes import Absent, Delivery, Doubtful, Posted, Refused, Sending
from tasks.config import SlackConfig

if TYPE_CHECKING:
    from tasks.alerts.slack import Slack

POSTS = 3
"""Of one message at one time; repeated only where the one before is not in the channel."""

NO_CHANNEL = "no Slack channel is set"
PRINTED = Posted(ts="printed", channel="")

TOKEN = re.compile(r"[!-~]+")


class Patience(NamedTuple):
    """How many seconds to wait: for an answer, when Slack asks to, before a doubtful post is looked for, and while
    another process delivers."""

    timeout_s: int = 30
    rate_limit_s: int = 120
    settle_s: float = 3
    other_process_s: float = 120


PATIENCE = Patience()


class Draft(NamedTuple):
    """A message with its picture, where it has one."""

    message: Message
    picture: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What became of tonight's messages and of those that waited before them.

    `leftovers` waited for a Slack channel that the config has no more.
    """

    messages: tuple[Message, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    leftovers: tuple[Message, ...] = ()

    @property
    def undelivered(self) -> tuple[Delivery, ...]:
        """Those that wait for the next night."""
        return tuple(delivery for delivery in self.deliveries if delivery.ts is None)

    @property
    def to_print(self) -> tuple[Message, ...]:
        """Tonight's posts and replies, where Slack does not have them, behind those that will never go there."""
        sent = {delivery.message_id for delivery in self.deliveries if delivery.ts is not None}
        waiting = [one for one in self.messages if one.id not in sent]
        return tuple(one for one in (*self.leftovers, *waiting) if one.action != "edit")


def keep(results: Path, drafts: Iterable[Draft]) -> None:
    """Put messages on the disk, to be sent. Raises RunBroken where they cannot be kept there."""
    outbox = Outbox(results)
    for message, picture in drafts:
        outbox.put(message, picture=picture)


def deliver(
    results: Path, slack: SlackConfig, token: str | None, tonight: Sequence[Message], *, patience: Patience = PATIENCE
) -> DeliveryReport:
    """Deliver everything that waits, tonight's messages last; what cannot be delivered waits for the next night."""
    outbox = Outbox(results)
    if slack.channel is None:
        leftovers = tuple(taken_out(outbox))
        return DeliveryReport(
            messages=tuple(tonight), leftovers=leftovers, deliveries=left(outbox.waiting(), NO_CHANNEL)
        )
    if not token:
        return DeliveryReport(messages=tuple(tonight), deliveries=left(outbox.waiting(), no_token(slack)))
    new = tuple(one for one in tonight if not outbox.has_sent(one.id))
    return DeliveryReport(messages=new, deliveries=empty(outbox, slack, token.strip(), patience))


def no_token(slack: SlackConfig) -> str:
    """Why nothing goes to Slack though it has a channel."""
    return f"{slack.token_env} holds no token"


def taken_out(outbox: Outbox) -> Iterator[Message]:
    """Take out what waits for a channel that is gone, to be printed once: nobody will ever deliver it."""
    for one in outbox.waiting():
        if isinstance(one, Queued):
            outbox.settle(one, PRINTED)
            yield one.message


def is_set_up(slack: SlackConfig, token: str | None) -> bool:
    """True where messages can go to Slack at all."""
    return slack.channel is not None and bool(token)


def empty(outbox: Outbox, slack: SlackConfig, token: str, patience: Patience) -> tuple[Delivery, ...]:
    """Deliver everything that waits, oldest first, while no other process does."""
    if not outbox.waiting():
        return ()
    if not TOKEN.fullmatch(token):  # it would end up in an error's text
        return left(outbox.waiting(), "the Slack token holds characters that no token has")
    from tasks.alerts.slack import Slack

    workspace = Slack(
        token=token,
        api_url=slack.api_url,
        timeout_s=patience.timeout_s,
        rate_limit_s=patience.rate_limit_s,
        settle_s=patience.settle_s,
    )
    with outbox.held(wait_s=patience.other_process_s) as held:
        if not held:
            return left(outbox.waiting(), "another process is delivering")
        courier = Courier(outbox, workspace, slack, settle_s=patience.settle_s)
        return tuple(map(courier.bring, outbox.waiting()))


def left(waiting: Iterable[Queued | Unreadable], reason: str) -> tuple[Delivery, ...]:
    """Leave messages where they are."""
    return tuple(
        Delivery(one.message_id, None, one.reason if isinstance(one, Unreadable) else reason) for one in waiting
    )


class Courier:
    """Brings messages one by one; what a failure would meet as well is left for the next time.

    A channel is looked up in the config as a message is sent, so that a mistake in it can be put right.
    """

    def __init__(self, outbox: Outbox, slack: "Slack", config: SlackConfig, *, settle_s: float) -> None:
        self._outbox, self._slack = outbox, slack
        self._config, self._settle_s = config, settle_s
        self._blocked: dict[str, str] = {}  # by channel; "" is all of Slack

    def bring(self, queued: Queued | Unreadable) -> Delivery:
        """Deliver one message, unless one before it shows that it cannot be."""
        if isinstance(queued, Unreadable):
            return Delivery(queued.message_id, None, queued.reason)
        message = queued.message
        channel = self._channel_of(message)
        if reason := self._blocked.get("") or self._blocked.get(channel):
            return Delivery(message.id, None, reason)
        match self._bring(queued):
            case Posted(ts=ts):
                return Delivery(message.id, ts)
            case Absent():
                reason = f"Slack did not take it {POSTS} times"
            case Refused(reason=reason, reach=reach) | Doubtful(reason=reason, reach=reach):
                if reach != "message":
                    self._blocked["" if reach == "all" else channel] = reason
        return Delivery(message.id, None, reason)

    def _channel_of(self, message: Message) -> str:
        """Where a message goes: into its thread, or to the channel of its severity."""
        thread = None if message.action == "post" else self._outbox.thread(message.thread)
        return thread.channel if thread else self._config.channel_for(message.severity)

    def _bring(self, queued: Queued) -> Sending:
        match queued.message.action:
            case "post":
                return self._post(queued, self._channel_of(queued.message), None)
            case "edit":
                return self._edit(queued)
            case "reply":
                return self._reply(queued)

    def _reply(self, queued: Queued) -> Sending:
        """Reply in the thread; in the channel where the thread is gone."""
        from tasks.alerts.slack import NO_THREAD

        thread = self._outbox.thread(queued.message.thread)
        if thread is None:
            return Refused("", "the first message of its thread was not delivered", reach="message")
        outcome = self._post(queued, thread.channel, thread.ts)
        if isinstance(outcome, Refused) and outcome.code in NO_THREAD:
            return self._post(queued, thread.channel, None)
        return outcome

    def _edit(self, queued: Queued) -> Sending:
        """Change the first message; where that cannot be done, the replies say the same."""
        from tasks.alerts.slack import NO_EDIT

        message = queued.message
        thread = self._outbox.thread(message.thread)
        if thread is None:
            return Refused("", "the first message of its thread was not delivered", reach="message")
        outcome = self._slack.edit(message, thread.channel, thread.ts, picture=self._outbox.picture(message))
        if isinstance(outcome, Refused) and outcome.code in NO_EDIT:
            outcome = Posted(thread.ts, thread.channel)
        if isinstance(outcome, Posted):
            self._outbox.settle(queued, outcome)
        return outcome

    def _post(self, queued: Queued, channel: str, thread_ts: str | None) -> Sending:
        """Post a message unless it is in Slack already, and look for it whenever that is in doubt."""
        message = queued.message
        outcome: Sending = Absent()
        if queued.attempted_at is not None:
            outcome = self._slack.find(message, channel, since=queued.attempted_at, thread_ts=thread_ts)
        for _ in range(POSTS):
            if not isinstance(outcome, Absent):
                break
            attempted_at = queued.attempted_at or time.time()
            self._outbox.keep(replace(queued, attempted_at=attempted_at))
            picture = self._outbox.picture(message)
            outcome = self._slack.post(message, channel, thread_ts=thread_ts, picture=picture)
            if isinstance(outcome, Refused):
                self._outbox.keep(queued)
            if isinstance(outcome, Doubtful):
                queued = replace(queued, attempted_at=attempted_at)
                time.sleep(self._settle_s)
                outcome = self._slack.find(message, channel, since=attempted_at, thread_ts=thread_ts)
        if isinstance(outcome, Posted):
            self._outbox.settle(queued, outcome)
        return outcome
