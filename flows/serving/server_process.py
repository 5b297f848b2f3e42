"""The process of Daybreak's own Prefect server, run as `python server_process.py LISTENER_FD LIFELINE_FD [lasting]`.

It serves on a socket on which its parent listens already, so that the parent's first request waits in the
backlog. It ends when the parent's end of the lifeline, a pipe, is closed, which the system does however the
parent ends.
"""

import fcntl
import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn

WRITING_S = 10.0
"""How long the server may take to write down the events that it has received."""
CLOSING_S = 3.0
"""How long it may then take to close its services and connections."""


def main(listener_fd: int, lifeline_fd: int, *, lasting: bool) -> None:
    """Serve until the parent ends."""
    lifeline = Lifeline(lifeline_fd)
    lifeline.start()
    lifeline.server = make_server(lasting=lasting)
    lifeline.server.run(sockets=[socket.socket(fileno=listener_fd)])
    os._exit(0)  # everything is written: taking 2000 modules apart would cost as much as all the rest of the end


class Lifeline(threading.Thread):
    """Waits for the parent's end, then ends the server, or the process where none is up yet."""

    def __init__(self, fd: int) -> None:
        super().__init__(daemon=True)
        self.fd = fd
        self.server: uvicorn.Server | None = None

    def run(self) -> None:
        os.read(self.fd, 1)  # nothing is ever written: this returns at end of file
        if self.server is None:
            os._exit(0)
        wait_for_writes()
        self.server.should_exit = True
        time.sleep(CLOSING_S)
        os._exit(1)


def make_server(*, lasting: bool) -> "uvicorn.Server":
    """Import Prefect's server, which is most of the start, with the garbage collector off."""
    gc.disable()
    import uvicorn
    from prefect.server.api.server import create_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            with one_at_a_time():
                await super().startup(sockets)

    # An ephemeral app records runs and events, but schedules nothing and serves no pages.
    app = create_app(ephemeral=not lasting)
    gc.freeze()
    gc.enable()
    return Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold a lock while the database is created or migrated: two processes that do so at once break both."""
    from prefect.settings import get_current_settings

    home = get_current_settings().home
    home.mkdir(parents=True, exist_ok=True)
    with (home / "daybreak-server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_for_writes() -> None:
    """Let the server work off the events it holds in memory: it drops what is left there when it ends."""
    from prefect.server.utilities.messaging.memory import METRICS

    deadline = time.monotonic() + WRITING_S
    while time.monotonic() < deadline:
        if all(topic["published"] <= topic["consumed"] for topic in list(METRICS.values())):
            return
        time.sleep(0.02)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), lasting="lasting" in sys.argv[3:])
