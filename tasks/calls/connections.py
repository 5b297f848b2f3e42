"""The connections that all models of a process share, and when a request got one."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from tasks.calls.provider import load

if TYPE_CHECKING:
    import aiohttp

KEEP_ALIVE_S = 120.0


class Clock:
    """When the attempt of the current task got its connection, in time.perf_counter() seconds."""

    __slots__ = ("connected_at",)

    def __init__(self) -> None:
        self.connected_at: float | None = None


CLOCK: ContextVar[Clock | None] = ContextVar("CLOCK", default=None)


@asynccontextmanager
async def connections(limit: int) -> AsyncIterator["aiohttp.ClientSession"]:
    """Open a session for `ModelClient`s with at most that many connections, whichever hosts they lead to.

    Requests beyond the limit wait for a connection, and their latency counts from when they have one: so a process may
    prepare more requests than are in flight.
    """
    import aiohttp

    litellm = load()
    litellm.in_memory_llm_clients_cache.flush_cache()  # litellm keeps to the session that it saw first
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limit, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=300),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[connection_trace(aiohttp)],
    ) as session:
        yield session
    litellm.in_memory_llm_clients_cache.flush_cache()


def connection_trace(aiohttp: Any) -> Any:
    """Note in the current task's clock when its request gets a connection, new or kept alive."""

    async def note(*_: object) -> None:
        clock = CLOCK.get()
        if clock is not None:
            clock.connected_at = time.perf_counter()

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(note)
    trace.on_connection_reuseconn.append(note)
    return trace
