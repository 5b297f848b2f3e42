"""A Prefect server of our own, for a process to which none was named.

Prefect's temporary server survives a killed parent, holds its output open, and starts only after everything
has been imported; this one is a child that starts first and ends with its parent.
"""

import atexit
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tasks.errors import RunBroken

OWN_HOST = "127.0.0.1"
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 15
LOG_TAIL_BYTES = 2000
SERVER_SETTINGS = {
    # One transaction per event, the default, records 50 task runs a second; batches record several times as many.
    # The interval is cut to whole seconds, and at 0 the server would never rest.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}
SCRIPT = Path(__file__).with_name("server_process.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServer:
    """A running child; it ends when `lifeline` is closed."""

    url: str
    process: "subprocess.Popen[bytes]"
    lifeline: IO[bytes]
    log: IO[bytes]

    def wait_until_ready(self) -> None:
        """Wait for the first answer.

        Raises:
            RunBroken: the server ended or stayed silent; holds the last lines of its log.
        """
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                f"{self.url}/health", timeout=START_TIMEOUT_S
            ).close()
        except OSError as error:
            raise RunBroken(
                f"Prefect's server did not start ({error}). Set PREFECT_API_URL to one that runs, or PREFECT_HOME to "
                f"another folder for its database. It said:\n{self.log_tail()}"
            ) from error

    def log_tail(self) -> str:
        """Read what the server said last, without moving the position at which it writes."""
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), LOG_TAIL_BYTES, max(0, size - LOG_TAIL_BYTES)).decode(errors="replace")

    def stop(self) -> None:
        """Let the server write down the last events and end."""
        self.lifeline.close()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self.process.kill()
            self.process.wait()


def start_server(port: int = 0, *, lasting: bool = False) -> OwnServer:
    """Start the child and stop it when this process ends; a `lasting` one fires schedules and serves Prefect's pages.

    Call it before Prefect is imported: the exit handlers of Prefect, which send the last events, then run
    before this one.
    """
    with socket.create_server((OWN_HOST, port)) as listener:
        server = spawn(listener, f"http://{OWN_HOST}:{listener.getsockname()[1]}/api", lasting=lasting)
    atexit.register(server.stop)
    return server


def spawn(listener: socket.socket, url: str, *, lasting: bool) -> OwnServer:
    """Start the process in a session of its own: Ctrl-C is for the parent, which then ends it."""
    lifeline_end, lifeline = os.pipe()
    log = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the server runs)
    fds = (listener.fileno(), lifeline_end)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", SCRIPT, *map(str, fds), *(["lasting"] if lasting else [])],
            pass_fds=fds,
            env=SERVER_SETTINGS | os.environ,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    finally:
        os.close(lifeline_end)
    return OwnServer(url=url, process=process, lifeline=os.fdopen(lifeline, "wb", buffering=0), log=log)
