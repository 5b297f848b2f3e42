"""Slack's Web API, as far as alerts need it: post, answer in a thread, edit, and find out whether something was posted.

`chat.postMessage` has no idempotency key, so a post is repeated only where Slack certainly did not take it. After
anything else (a timeout, a broken connection, an answer of the 500s) the channel's or thread's history is searched for
the id that every message carries in its metadata. Searches and edits are repeated freely.

The app needs `chat:write`; for the search `channels:history` (`groups:history` for a private channel), and
`channels:read` (`groups:read`) where the config gives the channel's name instead of its id; for charts `files:write`.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError, SlackRequestError
from slack_sdk.http_retry import HttpRequest, HttpResponse, RateLimitErrorRetryHandler, RetryHandler, RetryState
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, ServerErrorRetryHandler
from slack_sdk.models.blocks import ImageBlock
from slack_sdk.models.blocks.basic_components import SlackFile
from slack_sdk.models.metadata import Metadata
from slack_sdk.web import SlackResponse

from tasks.alerts.inert import inert, shorten
from tasks.alerts.message import Message
from tasks.alerts.outcomes import Absent, Doubtful, Posted, Reach, Refused, Sending

EVENT_TYPE = "daybreak_alert"
CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{7,}")
CODE = re.compile(r"[a-z][a-z0-9_]*")
CLOCK_SKEW_S = 600
REASON_UNITS = 300
PICTURE_LOOKS = 3
"""An uploaded picture can be shown once Slack has looked at it, which takes a moment."""

UNCLEAR = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""Errors after which, by Slack's reference, a part of the operation may have succeeded."""

BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
NO_THREAD = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})
NO_EDIT = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
"""A person removed the first message, or the workspace lets nobody edit: the replies say the same."""

OF_ONE_MESSAGE = (
    BAD_BLOCKS | NO_THREAD | NO_EDIT | {"msg_too_long", "no_text", "invalid_metadata_format", "metadata_too_large"}
)
OF_A_CHANNEL = frozenset({"channel_not_found", "is_archived", "not_in_channel", "restricted_action", "no_permission"})
"""All other errors are of the token or the connection."""

HINTS = {
    "account_inactive": "the app or its workspace was deactivated",
    "channel_not_found": "there is no such channel, or the app was not invited to it",
    "invalid_auth": "Slack does not know this token",
    "is_archived": "the channel is archived",
    "not_in_channel": "the app was not invited to the channel",
    "ratelimited": "Slack asks to wait for longer than we do",
    "token_expired": "the token has expired",
    "token_revoked": "the token was revoked",
}

FAILURES = (OSError, HTTPException, SlackClientError, ValueError, AttributeError, TypeError)
"""What the SDK lets through when a request goes wrong: urllib's errors, its own, and those of an answer that is no JSON
or not such JSON as it expects."""


class Slack:
    """A workspace through one token, which stands in no reason that this gives.

    `timeout_s` is of one answer, `rate_limit_s` the longest wait that Slack may ask for, `settle_s` how long a picture
    may take until it can be shown.
    """

    def __init__(self, *, token: str, api_url: str, timeout_s: int, rate_limit_s: int, settle_s: float) -> None:
        self._token, self._settle_s = token, settle_s
        rate_limit = RateLimitHandler(rate_limit_s)
        again = [ServerErrorRetryHandler(max_retry_count=2), ConnectionErrorRetryHandler(max_retry_count=2)]

        def client(*handlers: RetryHandler) -> WebClient:
            return WebClient(
                token,
                base_url=api_url,
                timeout=timeout_s,
                retry_handlers=list(handlers),
                logger=quiet_logger(),
            )

        self._once, self._freely = client(rate_limit), client(rate_limit, *again)

    def post(
        self, message: Message, channel: str, *, thread_ts: str | None = None, picture: bytes | None = None
    ) -> Sending:
        """Post a message to a channel, or into a thread; without what Slack refuses of it, at worst as text alone."""
        more: dict[str, Any] = {"thread_ts": thread_ts} if thread_ts else {}
        more |= {"reply_broadcast": True} if thread_ts and message.announced else {}

        def send(content: Mapping[str, Any]) -> Sending:
            plain = {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
            return self._sent(self._once.chat_postMessage, message, channel, {**content, **more, **plain})

        return self._as_much_as_slack_takes(send, message, picture)

    def edit(self, message: Message, channel: str, ts: str, *, picture: bytes | None = None) -> Sending:
        """Put a message in the place of one that was posted; that may be done twice."""

        def send(content: Mapping[str, Any]) -> Sending:
            blocks = content["blocks"] or []  # without any, Slack would keep those that are there
            return self._sent(self._freely.chat_update, message, channel, {"blocks": blocks, "ts": ts})

        return self._as_much_as_slack_takes(send, message, picture)

    def find(
        self, message: Message, channel: str, *, since: float, thread_ts: str | None = None
    ) -> Posted | Absent | Doubtful:
        """Look for a message among those that were posted from a Unix time on."""
        try:
            place = self._channel_id(channel)
            for found in self._history(place, since, thread_ts):
                if id_of(found) == message.id:
                    return Posted(found["ts"], place)
        except FAILURES as error:
            reason = self._told(f"it may have been posted already and cannot be looked for: {reason_of(error)}")
            return Doubtful(reason, reach="message" if is_refusal(error) else "all")
        return Absent()

    def _as_much_as_slack_takes(
        self, send: Callable[[Mapping[str, Any]], Sending], message: Message, picture: bytes | None
    ) -> Sending:
        blocks = [dict(block) for block in message.blocks]
        image = self._uploaded(picture, message) if picture else None
        with_picture = [[*blocks, image]] * PICTURE_LOOKS if image else []
        outcome: Sending = Absent()
        for number, content in enumerate([*with_picture, blocks, None]):
            if 0 < number < len(with_picture):
                time.sleep(self._settle_s)
            outcome = send({"blocks": content})
            if not (isinstance(outcome, Refused) and outcome.code in BAD_BLOCKS):
                break
        return outcome

    def _sent(
        self, method: Callable[..., SlackResponse], message: Message, channel: str, content: Mapping[str, Any]
    ) -> Sending:
        metadata = Metadata(event_type=EVENT_TYPE, event_payload={"id": message.id, "incident": message.thread})
        try:
            response = method(channel=channel, text=message.text, metadata=metadata, parse="none", **content)
        except FAILURES as error:
            if is_refusal(error):
                code = code_of(error)
                return Refused(code, self._told(reason_of(error)), reach=reach_of(code))
            return Doubtful(self._told(reason_of(error)), reach="all")
        if not response.get("ts"):
            return Doubtful("Slack gave the message no name", reach="all")
        return Posted(response["ts"], response["channel"])

    def _uploaded(self, picture: bytes, message: Message) -> dict[str, Any] | None:
        """An image block with a picture of this message's own; None where Slack does not take it."""
        try:
            answer = self._once.files_upload_v2(
                content=picture, filename=f"{message.id}.png", title=message.chart_text, alt_txt=message.chart_text
            )
            file = SlackFile(id=answer["files"][0]["id"])
        except (*FAILURES, LookupError):
            return None
        return dict(ImageBlock(alt_text=message.chart_text, slack_file=file).to_dict())

    def _history(self, channel: str, since: float, thread_ts: str | None) -> Iterator[dict[str, Any]]:
        wanted: dict[str, Any] = {"channel": channel, "oldest": f"{since - CLOCK_SKEW_S:.6f}", "limit": 200}
        if thread_ts:
            pages = self._freely.conversations_replies(ts=thread_ts, include_all_metadata=True, **wanted)
        else:
            pages = self._freely.conversations_history(include_all_metadata=True, **wanted)
        for page in pages:
            yield from page["messages"]

    def _channel_id(self, name: str) -> str:
        if CHANNEL_ID.fullmatch(name):
            return name
        for page in self._freely.conversations_list(types="public_channel,private_channel", limit=1000):
            for channel in page["channels"]:
                if channel["name"] == name.removeprefix("#"):
                    return str(channel["id"])
        raise SlackRequestError(f"the app sees no channel {name!r}")

    def _told(self, reason: str) -> str:
        return shorten(inert(reason.replace(self._token, "***")), REASON_UNITS)


class RateLimitHandler(RateLimitErrorRetryHandler):
    """Waits as Slack asks, but not for hours, as the SDK's own would."""

    def __init__(self, longest_s: int) -> None:
        super().__init__(max_retry_count=3)
        self._longest_s = longest_s

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is None or response.status_code != 429:
            return False
        waits = [values[0] for name, values in response.headers.items() if name.lower() == "retry-after"]
        return all(wait.isdecimal() and int(wait) <= self._longest_s for wait in waits)


def quiet_logger() -> logging.Logger:
    """For the SDK, which logs every failed request, and whole messages at DEBUG: outcomes say what matters."""
    logger = logging.getLogger(f"{__name__}.sdk")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


def id_of(message: Mapping[str, Any]) -> str | None:
    """The id that a message of ours carries; None for others' messages."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return str(metadata.get("event_payload", {}).get("id"))


def is_refusal(error: Exception) -> bool:
    """True where the request certainly had no effect.

    Slack, or something before it, said no; or the request did not get out whole: urllib has URLError for just that,
    and lets other errors through when it waits for the answer.
    """
    if isinstance(error, SlackApiError):
        status, code = int(error.response.status_code), code_of(error)
        if status == 200:
            return bool(CODE.fullmatch(code)) and code not in UNCLEAR
        return 400 <= status < 500 and status != 408
    return isinstance(error, URLError | SlackRequestError)


def reach_of(code: str) -> Reach:
    """Whom else an error of Slack's would meet."""
    return "message" if code in OF_ONE_MESSAGE else "channel" if code in OF_A_CHANNEL else "all"


def code_of(error: Exception) -> str:
    """Slack's word for an error."""
    return str(error.response.get("error", "")) if isinstance(error, SlackApiError) else ""


def reason_of(error: Exception) -> str:
    """An error in words."""
    match error:
        case SlackApiError(response=response):
            code = code_of(error) if CODE.fullmatch(code_of(error)) else f"HTTP {response.status_code}"
            needed = response.get("needed")
            hint = f"the token lacks the scope {needed}" if needed else HINTS.get(code)
            return f"{code}: {hint}" if hint else code
        case SlackRequestError():
            return str(error)
        case URLError(reason=reason):
            return f"Slack was not reached: {reason}"
        case _:
            return f"no answer that can be read: {type(error).__name__}: {error}"
