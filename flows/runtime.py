"""How a command becomes a Prefect run: a server that answers, quick imports, one event loop, signals.

`prepare` and then `run_flow` are called once in a process; nothing may import Prefect before, as it reads its
settings and address once, on its first import.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flows.serving.connection import connect
from flows.serving.prefect_settings import prefect_setting
from flows.signals import Interruption

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import State

OWN_LOGGERS = ("flows", "tasks")
SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(OWN_LOGGERS),
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


def prepare(*loads: Callable[[], object], lasting: bool = False) -> None:
    """See to a Prefect server, and meanwhile import Prefect and whatever `loads` import.

    A `lasting` server of our own fires schedules and serves Prefect's pages.

    One import after the other: all hold the interpreter's lock, and in threads they take a tenth longer.

    Raises:
        UsageError: the server that the user named does not answer; known before anything is imported.
        RunBroken: our own server did not start.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the flow runs, it is as good as Ctrl-C
    adapt_environment()
    server = connect(lasting=lasting)
    with collector_off():
        import prefect.artifacts
        import prefect.main  # noqa: F401

        for load in loads:
            load()
    adapt_logging()
    if server:
        server.wait_until_ready()


def run_flow(flow: "Flow[..., Any]", *arguments: object) -> "State[Any]":
    """Run an async flow in the main thread and give its final state.

    The first Ctrl-C or SIGTERM sets `flows.signals.stop_event`, on which the flow is to end early.

    Raises:
        KeyboardInterrupt: a second one came; Prefect has the run as crashed.
    """
    try:
        return asyncio.run(run_interruptibly(flow, arguments))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def run_interruptibly(flow: "Flow[..., Any]", arguments: tuple[object, ...]) -> "State[Any]":
    """Run the flow with signals taken, and again once it runs: Prefect's engine has grabbed SIGTERM by then."""
    interruption = Interruption()

    def take_signals(*_: object, **__: object) -> None:
        interruption.take_signals()

    take_signals()
    flow = flow.with_options(on_running=[*flow.on_running_hooks, take_signals])
    state: State[Any] = await flow(*arguments, return_state=True)  # type: ignore[misc]
    return state


def adapt_environment() -> None:
    """Fill in the settings with which Prefect reports nothing home and leaves the terminal to us.

    What the user has set stays. What flows and stages log goes to the run's log in Prefect.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if prefect_setting("logging", "level") is None:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # errors are ours to tell


def adapt_logging() -> None:
    """Let our records through, and keep off the terminal what is no news there."""
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.addFilter(is_news)


def is_news(record: logging.LogRecord) -> bool:
    """Drop what Prefect warns of at the end of every short run, and an error for each task that a user cancelled."""
    return record.name != "EventsWorker" and not record.getMessage().startswith("Finished in state Cancelled")


@contextmanager
def collector_off() -> Iterator[None]:
    """Import without collecting garbage, a quarter quicker, and keep what was imported out of later collections."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
