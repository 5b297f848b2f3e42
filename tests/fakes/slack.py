"""Slack over real HTTP: keeps channels with their messages, refuses what Slack refuses, and fails in every known way.

    with FakeSlack() as slack:
        slack.script("chat.postMessage", rate_limited(1), dropped(takes=True))   # then it behaves
        … SlackConfig(channel="#llm-evals", api_url=slack.url), token slack.token …
        assert [message["text"] for message in slack.messages] == […]

Limits are those of Slack's reference for blocks; `MESSAGE_UNITS` is what has been seen.
"""

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, Self
from urllib.parse import parse_qs

from aiohttp import web

from tests.fakes.slack_limits import problems_of, units

MESSAGE_UNITS = 13_000
"""JSON of all blocks: more has been refused as msg_blocks_too_long, without a documented limit."""

TEXT_LIMIT = 40_000
Json = dict[str, Any]
KEPT = ("text", "blocks", "metadata", "thread_ts", "reply_broadcast")

SCOPES = frozenset({"chat:write", "channels:history", "channels:read", "files:write"})


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a method; `at` is time.monotonic()."""

    method: str
    token: str
    body: Json
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How one request goes wrong: `takes` says that Slack does what was asked for before it does."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0
    takes: bool = False
    drops: bool = False


def refused(error: str, **more: str) -> Step:
    """Slack says no."""
    return Step(body=json.dumps({"ok": False, "error": error, **more}))


def rate_limited(retry_after: int | str | None = 1) -> Step:
    """429, with the seconds to wait."""
    wait = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Step(status=429, headers=wait, body='{"ok":false,"error":"ratelimited"}')


def failing(status: int = 500, *, body: str = "<html>oops</html>", takes: bool = False) -> Step:
    """An answer from something that is out of order."""
    return Step(status=status, body=body, takes=takes)


def hanging(seconds: float = 60, *, takes: bool = False) -> Step:
    """No answer for a long time."""
    return Step(delay_s=seconds, takes=takes)


def dropped(*, takes: bool = False) -> Step:
    """The connection breaks before the answer."""
    return Step(drops=True, takes=takes)


class Refusal(Exception):
    """An `ok: false`."""

    def __init__(self, error: str, **more: Any) -> None:
        self.body = {"ok": False, "error": error, **more}


class FakeSlack:
    """Serves on 127.0.0.1 from a thread of its own while entered.

    `messages` are those of all channels as they stand, oldest first, each with its `channel`. `edits` counts how often
    each was changed, by its `ts`; `files` holds what was uploaded.
    """

    def __init__(self, *, token: str = "xoxb-fake", scopes: frozenset[str] = SCOPES) -> None:
        self.token, self.scopes = token, scopes
        self.channels = {"C0LLMEVALS": "llm-evals", "C0GENERAL1": "general"}
        self.archived: set[str] = set()
        self.requests: list[Request] = []
        self.messages: list[Json] = []
        self.edits: dict[str, int] = {}
        self._scripts: dict[str, Iterator[Step | None]] = {}
        self._methods: dict[str, Callable[[Json], Json]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.list": self._list,
            "conversations.replies": self._replies,
            "files.completeUploadExternal": self._complete_upload,
            "files.getUploadURLExternal": self._upload_url,
        }
        self.files: dict[str, bytes] = {}
        self._port = 0

    @property
    def url(self) -> str:
        """The `api_url` of this Slack."""
        return f"http://127.0.0.1:{self._port}/api/"

    def script(self, method: str, *steps: Step | None, then: Step | None = None) -> None:
        """Set how the next requests of a method go wrong (None: they do not), and all after them."""
        self._scripts[method] = chain(steps, repeat(then))

    def calls(self, method: str) -> list[Request]:
        """The requests of one method."""
        return [request for request in self.requests if request.method == method]

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop, self._closing = asyncio.new_event_loop(), asyncio.Event()
        self._thread = threading.Thread(target=self._serve, args=[started], daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._start())
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _start(self) -> web.AppRunner:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_post("/api/{method}", self._handle)
        app.router.add_post("/upload/{file}", self._upload)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._port = runner.addresses[0][1]
        return runner

    async def _handle(self, request: web.Request) -> web.Response:
        method, body = request.match_info["method"], body_of(request.content_type, await request.text())
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.requests.append(Request(method, token, body, time.monotonic()))
        step = next(self._scripts.get(method, repeat(None)))
        if step is None:
            return web.json_response(self._answer(method, token, body))
        if step.takes:
            self._answer(method, token, body)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), step.delay_s)
        if step.drops:
            return reset(request)
        return web.Response(status=step.status, headers=step.headers, text=step.body)

    async def _upload(self, request: web.Request) -> web.Response:
        self.files[request.match_info["file"]] = await request.read()
        return web.Response(text="OK")

    def _answer(self, method: str, token: str, body: Json) -> Json:
        try:
            if token != self.token:
                raise Refusal("invalid_auth" if token else "not_authed")
            if method not in self._methods:
                raise Refusal("unknown_method")
            return {"ok": True, **self._methods[method](body)}
        except Refusal as refusal:
            return refusal.body

    def _auth_test(self, _: Json) -> Json:
        return {
            "team": "Team",
            "user": "daybreak",
            "team_id": "T0TEAM",
            "user_id": "U0DAYBREAK",
            "bot_id": "B0DAYBREAK",
        }

    def _post_message(self, body: Json) -> Json:
        self._needs("chat:write")
        channel = self._channel(body.get("channel", ""), by_name=True)
        self._check_content(body)
        self._check_thread(channel, body.get("thread_ts"))
        ts = f"{max(time.time(), float(self.messages[-1]['ts']) + 0.000001 if self.messages else 0):.6f}"
        content: Json = {name: body[name] for name in KEPT if name in body}
        content["text"] = content.get("text", "")[:TEXT_LIMIT]
        self.messages.append(content | {"type": "message", "bot_id": "B0DAYBREAK", "channel": channel, "ts": ts})
        return {"channel": channel, "ts": ts, "message": content}

    def _update(self, body: Json) -> Json:
        self._needs("chat:write")
        channel = self._channel(body.get("channel", ""), by_name=False)
        self._check_content(body)
        for message in self.messages:
            if (message["channel"], message["ts"]) == (channel, body.get("ts")):
                message.update({name: body[name] for name in ("text", "blocks", "metadata") if name in body})
                self.edits[message["ts"]] = self.edits.get(message["ts"], 0) + 1
                return {"channel": channel, "ts": message["ts"], "text": message["text"]}
        raise Refusal("message_not_found")

    def _history(self, body: Json) -> Json:
        self._needs("channels:history")
        return page_of("messages", [one for one in self._kept(body) if "thread_ts" not in one], body)

    def _replies(self, body: Json) -> Json:
        self._needs("channels:history")
        wanted = {body.get("ts")}
        found = [one for one in self._kept(body) if {one["ts"], one.get("thread_ts")} & wanted]
        if not found:
            raise Refusal("thread_not_found")
        return page_of("messages", found, body)

    def _kept(self, body: Json) -> list[Json]:
        channel = self._channel(body.get("channel", ""), by_name=False)
        oldest = float(body.get("oldest", 0))
        hidden = {"channel"} | (set() if body.get("include_all_metadata") in {"1", "true", True} else {"metadata"})
        return [
            {name: value for name, value in message.items() if name not in hidden}
            for message in reversed(self.messages)
            if message["channel"] == channel and float(message["ts"]) > oldest
        ]

    def _upload_url(self, body: Json) -> Json:
        self._needs("files:write")
        file = f"F0{len(self.files):06}"
        self.files[file] = b""
        return {"file_id": file, "upload_url": f"http://127.0.0.1:{self._port}/upload/{file}"}

    def _complete_upload(self, body: Json) -> Json:
        self._needs("files:write")
        listed = body["files"]
        return {"files": json.loads(listed) if isinstance(listed, str) else listed}

    def _check_thread(self, channel: str, ts: str | None) -> None:
        if ts and not any((one["channel"], one["ts"]) == (channel, ts) for one in self.messages):
            raise Refusal("thread_not_found")

    def _list(self, body: Json) -> Json:
        self._needs("channels:read")
        channels = [{"id": id, "name": name, "is_archived": id in self.archived} for id, name in self.channels.items()]
        return page_of("channels", channels, body)

    def _check_content(self, body: Json) -> None:
        check_content(body, [file for file, content in self.files.items() if content])

    def _needs(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Refusal("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    def _channel(self, given: str, *, by_name: bool) -> str:
        names = {name: id for id, name in self.channels.items()} if by_name else {}
        channel = given if given in self.channels else names.get(given.removeprefix("#"))
        if channel is None:
            raise Refusal("channel_not_found")
        if channel in self.archived and by_name:
            raise Refusal("is_archived")
        return channel


def body_of(content_type: str, raw: str) -> Json:
    """Read a body in either of the forms in which Slack takes it."""
    if content_type == "application/json":
        return dict(json.loads(raw))
    return {name: values[0] for name, values in parse_qs(raw).items()}


def page_of(name: str, items: Sequence[Json], body: Json) -> Json:
    """Cut a list into pages."""
    start, limit = int(body.get("cursor", 0)), int(body.get("limit", 100))
    cursor = str(start + limit) if start + limit < len(items) else ""
    return {name: items[start : start + limit], "response_metadata": {"next_cursor": cursor}}


def reset(request: web.Request) -> web.Response:
    """Break the connection: closing with a linger of 0 s sends RST."""
    if request.transport is not None:
        linger = struct.pack("ii", 1, 0)
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.transport.abort()
    return web.Response()


def check_content(body: Json, files: Collection[str]) -> None:
    """Refuse what chat.postMessage and chat.update refuse."""
    blocks = body.get("blocks", [])
    if not blocks and not body.get("text"):
        raise Refusal("no_text")
    if problems := [*problems_of(blocks), *unknown_files(blocks, files)]:
        metadata = {"messages": [f"[ERROR] {problem}" for problem in problems]}
        raise Refusal("invalid_blocks", errors=problems, response_metadata=metadata)
    if units(json.dumps(blocks, ensure_ascii=False)) > MESSAGE_UNITS:
        raise Refusal("msg_blocks_too_long")
    if "metadata" in body and set(body["metadata"]) != {"event_type", "event_payload"}:
        raise Refusal("invalid_metadata_format")


def unknown_files(blocks: Sequence[Mapping[str, Any]], files: Collection[str]) -> Iterator[str]:
    """Image blocks whose file was not uploaded."""
    for index, block in enumerate(blocks):
        if block.get("type") == "image" and block.get("slack_file", {}).get("id") not in files:
            yield f"invalid slack file [json-pointer:/blocks/{index}/slack_file]"
