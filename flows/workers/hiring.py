"""Start worker processes, and end them."""

import os
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

ENDING_S = 5.0


class Wire:
    """This process's end of a socket to a worker."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self.connection = Connection(os.dup(end.fileno()))

    def cut(self) -> None:
        """End the worker. To close would not do, while a thread reads."""
        with suppress(OSError):  # the worker has ended before
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()


class Nursery:
    """A process that has forked some workers; `wires` lead to them."""

    def __init__(self, n: int) -> None:
        pairs = [socket.socketpair() for _ in range(n)]
        theirs = [end.fileno() for _, end in pairs]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "flows.workers.nursery", *map(str, theirs)],
            pass_fds=theirs,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # Ctrl-C is for the parent
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the parent's may be read as JSON
        )
        for _, end in pairs:
            end.close()
        self.wires = [Wire(end) for end, _ in pairs]

    def end(self) -> None:
        """End the workers and wait for it."""
        for wire in self.wires:
            wire.cut()
        try:
            self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
