"""A provider over real HTTP that speaks OpenAI's chat completions, says what it is told to, and fails in every way.

In a test:

    with FakeProvider() as provider:
        provider.answer("gpt-x", ["billing", rate_limited(retry_after="1"), lambda request: said(request.prompt)])
        … ModelConfig(name="x", model="openai/gpt-x", api_base=provider.url) …
        assert provider.requests[0].body["temperature"] == 0

For a benchmark, in a process of its own: `python -m tests.fakes.provider --latency-ms 200 --requests-per-second 100`.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

import orjson
from aiohttp import web

JSON = {"Content-Type": "application/json"}
Delivery = Literal["whole", "trickle", "reset", "reset_first", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes over the wire after `delay_s`: `body` as it is, or in one of the ways in which connections break."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    body: bytes = b""
    delay_s: float = 0
    delivery: Delivery = "whole"


@dataclass(frozen=True)
class Received:
    """One request as it came; `at` is time.monotonic()."""

    at: float
    headers: Mapping[str, str]
    raw: bytes

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON of the request."""
        return dict(orjson.loads(self.raw))

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return str(self.body["model"])

    @property
    def prompt(self) -> str:
        """The last message."""
        return str(self.body["messages"][-1]["content"])


Script = str | Reply | Callable[[Received], "str | Reply"]


def said(
    text: str | None,
    *,
    served_as: str = "fake-1",
    finish_reason: str | None = "stop",
    prompt_tokens: int = 20,
    completion_tokens: int = 5,
    fingerprint: str | None = "fp_fake",
    delay_s: float = 0,
    headers: Mapping[str, str] = JSON,
    message: Mapping[str, Any] | None = None,
) -> Reply:
    """Answer as a model does; `message` adds to (or replaces) fields of the message."""
    body = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": served_as,
        "system_fingerprint": fingerprint,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": text, **(message or {})},
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }
    return Reply(body=orjson.dumps(body), headers=headers, delay_s=delay_s)


def refused(
    status: int,
    message: str = "Something went wrong.",
    *,
    code: str | None = None,
    type_: str = "invalid_request_error",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Answer with an error in OpenAI's form."""
    error = {"error": {"message": message, "type": type_, "param": None, "code": code}}
    return Reply(status=status, headers={**JSON, **(headers or {})}, body=json.dumps(error).encode())


def rate_limited(retry_after: str | None = None, **headers: str) -> Reply:
    """429 as OpenAI words it; `retry_after` in seconds or as an HTTP date."""
    wait = {} if retry_after is None else {"Retry-After": retry_after}
    return refused(
        429,
        "Rate limit reached for requests.",
        code="rate_limit_exceeded",
        type_="requests",
        headers={**wait, **headers},
    )


def quota_exhausted() -> Reply:
    """429 that no waiting cures."""
    return refused(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        code="insufficient_quota",
        type_="insufficient_quota",
    )


def context_overflow(*, only_as_code: bool = False) -> Reply:
    """400: the prompt is too long, told in the message, or by the code alone."""
    message = "Invalid request." if only_as_code else "This model's maximum context length is 8192 tokens, not 9001."
    return refused(400, message, code="context_length_exceeded")


def policy_refusal(code: str = "content_policy_violation") -> Reply:
    """400: the provider refuses for its model."""
    return refused(400, "Your request was rejected by our safety system.", code=code)


def hanging(seconds: float = 600) -> Reply:
    """Nothing for a long time."""
    return Reply(delay_s=seconds)


def trickling() -> Reply:
    """A byte now and then, for ever: no timeout between two reads ends this."""
    return Reply(delivery="trickle")


def cut_off(delivery: Literal["reset", "reset_first", "closed"] = "reset") -> Reply:
    """The connection breaks: reset in the body's middle, reset before any answer, or closed in the middle."""
    return Reply(body=said("never completely heard").body, delivery=delivery)


def odd(body: bytes | str, *, content_type: str = "application/json", status: int = 200) -> Reply:
    """Any bytes at all."""
    raw = body if isinstance(body, bytes) else body.encode()
    return Reply(status=status, headers={"Content-Type": content_type}, body=raw)


class TokenBucket:
    """A provider's limit: `rate` requests per second, `burst` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self.left, self.at = burst, time.monotonic()

    def take(self) -> float:
        """Take one request; gives the seconds to wait where there is none (0: taken)."""
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return (1 - self.left) / self.rate
        self.left -= 1
        return 0

    def headers(self) -> dict[str, str]:
        """Tell the limit the way OpenAI does."""
        return {
            "x-ratelimit-limit-requests": str(round(self.rate * 60)),
            "x-ratelimit-remaining-requests": str(int(self.left)),
            "x-ratelimit-reset-requests": f"{(self.burst - self.left) / self.rate:.3f}s",
        }


class FakeProvider:
    """Serves on 127.0.0.1 from a thread of its own while entered; records every request."""

    def __init__(
        self,
        *,
        latency_s: float = 0,
        requests_per_second: float | None = None,
        burst: float | None = None,
        tells_limit: bool = True,
    ) -> None:
        self.latency_s = latency_s
        self.tells_limit = tells_limit
        self.models: list[dict[str, str]] | None = None
        self.requests: list[Received] = []
        self.rejected = 0
        self.most_at_once = 0
        self.bucket = (
            TokenBucket(requests_per_second, burst or max(1, requests_per_second / 10)) if requests_per_second else None
        )
        self._at_once = 0
        self._scripts: dict[str, Iterator[Script]] = {}
        self._port = 0

    @property
    def url(self) -> str:
        """The `api_base` of this provider."""
        return f"http://127.0.0.1:{self._port}/v1"

    def answer(self, model: str, script: Script | Sequence[Script]) -> None:
        """Set what a model ("*": any other) answers: one thing always, or a list in order whose last is repeated."""
        self._scripts[model] = _repeating_last(script)

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=[started], daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self.start())
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def start(self, port: int = 0) -> web.AppRunner:
        """Listen in the running loop; clean up the runner to end."""
        app = web.Application(client_max_size=100_000_000)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._list)
        app.router.add_get("/stats", self._stats)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=2048)
        await site.start()
        self._port = runner.addresses[0][1]
        return runner

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        received = Received(time.monotonic(), request.headers, await request.read())
        self.requests.append(received)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._deliver(request, self._choose(received))
        finally:
            self._at_once -= 1

    def _choose(self, received: Received) -> Reply:
        limits = {}
        if self.bucket:
            wait_s = self.bucket.take()
            limits = self.bucket.headers() if self.tells_limit else {}
            if wait_s:
                self.rejected += 1
                return rate_limited(f"{wait_s:.3f}" if self.tells_limit else None, **limits)
        script = self._scripts.get(received.model) or self._scripts.get("*") or iter(["ok"])
        step = next(script)
        made = step(received) if callable(step) else step
        reply = said(made) if isinstance(made, str) else made
        return Reply(
            status=reply.status,
            headers={**reply.headers, **limits},
            body=reply.body,
            delay_s=reply.delay_s or self.latency_s,
            delivery=reply.delivery,
        )

    async def _deliver(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.delivery == "whole":
            return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
        if reply.delivery == "reset_first":
            return _abort(request)
        response = web.StreamResponse(headers={**reply.headers, "Content-Length": str(len(reply.body) or 1_000_000)})
        await response.prepare(request)
        while reply.delivery == "trickle" and request.transport is not None:
            await response.write(b" ")
            await asyncio.sleep(0.02)
        await response.write(reply.body[: len(reply.body) // 2])
        return _abort(request, reset=reply.delivery == "reset")

    async def _list(self, _: web.Request) -> web.Response:
        """Set `models` to have them listed; until then this provider has no list."""
        return web.json_response({"data": self.models}) if self.models is not None else web.Response(status=404)

    async def _stats(self, _: web.Request) -> web.Response:
        seen = {"requests": len(self.requests), "rejected": self.rejected, "most_at_once": self.most_at_once}
        return web.json_response({**seen, "cpu_s": time.process_time()})


def _repeating_last(script: Script | Sequence[Script]) -> Iterator[Script]:
    steps: list[Script] = [script] if isinstance(script, str | Reply) or callable(script) else list(script)
    yield from steps[:-1]
    while True:
        yield steps[-1]


def _abort(request: web.Request, *, reset: bool = True) -> web.Response:
    transport = request.transport
    if transport is not None and reset:
        linger = struct.pack("ii", 1, 0)  # closing with a linger of 0 s sends RST instead of FIN
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    elif transport is not None:
        transport.close()
    return web.Response()


@contextlib.contextmanager
def refusing_url() -> Iterator[str]:
    """An address that refuses every connection: the port is held, and nobody listens on it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


async def _serve_alone(provider: FakeProvider, port: int) -> None:
    await provider.start(port)
    print(provider.url, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # ends with whoever started it


def main() -> None:
    """Serve until stdin closes; the first line of stdout is the address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--requests-per-second", type=float)
    parser.add_argument("--silent", action="store_true", help="say nothing of the limit but 429")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    provider = FakeProvider(
        latency_s=args.latency_ms / 1000, requests_per_second=args.requests_per_second, tells_limit=not args.silent
    )
    provider.answer("judge", '{"reasoning": "As asked.", "verdict": "pass", "confidence": 0.9}')
    asyncio.run(_serve_alone(provider, args.port))


if __name__ == "__main__":
    main()
