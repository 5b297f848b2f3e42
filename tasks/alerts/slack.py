"""Slack's Web API, as far as alerts need it: post a message, and find out whether one was posted.

`chat.postMessage` has no idempotency key, so a post is repeated only where Slack certainly did not take it. After
anything else (a timeout, a broken connection, an answer of the 500s) the channel's history is searched for the id that
every message carries in its metadata. Searches are repeated freely.

The app needs `chat:write`; for the search `channels:history` (`groups:history` for a private channel), and
`channels:read` (`groups:read`) where the config gives the channel's name instead of its id.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError, SlackRequestError
from slack_sdk.http_retry import HttpRequest, HttpResponse, RateLimitErrorRetryHandler, RetryHandler, RetryState
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, ServerErrorRetryHandler
from slack_sdk.models.metadata import Metadata

from tasks.alerts.inert import inert, shorten
from tasks.alerts.message import Message
from tasks.alerts.outcomes import Absent, Doubtful, Posted, Refused

EVENT_TYPE = "daybreak_alert"
CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{7,}")
CODE = re.compile(r"[a-z][a-z0-9_]*")
CLOCK_SKEW_S = 600
REASON_UNITS = 300

UNCLEAR = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""Errors after which, by Slack's reference, a part of the operation may have succeeded."""

BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
BAD_MESSAGE = BAD_BLOCKS | {"msg_too_long", "no_text", "invalid_metadata_format", "metadata_too_large"}
"""Errors of one message; all others are of the token, the channel or the connection."""

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


class SlackChannel:
    """One channel through one token, which stands in no reason that this gives.

    `timeout_s` is of one answer, `rate_limit_s` the longest wait that Slack may ask for.
    """

    def __init__(self, channel: str, *, token: str, api_url: str, timeout_s: int, rate_limit_s: int) -> None:
        self._channel, self._token = channel, token
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

        self._posting, self._searching = client(rate_limit), client(rate_limit, *again)

    def post(self, message: Message) -> Posted | Refused | Doubtful:
        """Post a message; as text alone where Slack refuses its blocks."""
        outcome = self._post(message, blocks=[dict(block) for block in message.blocks])
        if isinstance(outcome, Refused) and outcome.code in BAD_BLOCKS:
            return self._post(message, blocks=None)
        return outcome

    def find(self, message: Message, *, since: float) -> Posted | Absent | Doubtful:
        """Look for a message among those that were posted from a Unix time on."""
        try:
            channel = self._channel_id()
            for found in self._history(channel, since):
                if id_of(found) == message.id:
                    return Posted(found["ts"], channel)
        except FAILURES as error:
            reason = self._told(f"it may have been posted already and cannot be looked for: {reason_of(error)}")
            return Doubtful(reason, general=not is_refusal(error))
        return Absent()

    def _post(self, message: Message, *, blocks: list[dict[str, Any]] | None) -> Posted | Refused | Doubtful:
        try:
            response = self._posting.chat_postMessage(
                channel=self._channel,
                text=message.text,
                blocks=blocks,
                metadata=Metadata(event_type=EVENT_TYPE, event_payload={"id": message.id}),
                mrkdwn=False,
                parse="none",
                unfurl_links=False,
                unfurl_media=False,
            )
        except FAILURES as error:
            if is_refusal(error):
                code = code_of(error)
                return Refused(code, self._told(reason_of(error)), general=code not in BAD_MESSAGE)
            return Doubtful(self._told(reason_of(error)), general=True)
        if not response.get("ts"):
            return Doubtful("Slack gave the message no name", general=True)
        return Posted(response["ts"], response["channel"])

    def _history(self, channel: str, since: float) -> Iterator[dict[str, Any]]:
        pages = self._searching.conversations_history(
            channel=channel, oldest=f"{since - CLOCK_SKEW_S:.6f}", include_all_metadata=True, limit=200
        )
        for page in pages:
            yield from page["messages"]

    def _channel_id(self) -> str:
        if CHANNEL_ID.fullmatch(self._channel):
            return self._channel
        for page in self._searching.conversations_list(types="public_channel,private_channel", limit=1000):
            for channel in page["channels"]:
                if channel["name"] == self._channel.removeprefix("#"):
                    return str(channel["id"])
        raise SlackRequestError(f"the app sees no channel {self._channel!r}")

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
