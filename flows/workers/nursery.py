"""The process that workers are forked from: `python -m flows.workers.nursery FD…`, with a socket for each.

So all that they import is loaded once, and in memory once. It ends after the last of them.
"""

import os
import signal
import sys

from flows.runtime import collector_off


def main(sockets: list[int]) -> None:
    """Load what workers need, fork them, and wait for their end."""
    for number in (signal.SIGINT, signal.SIGTERM):  # for the parent, which tells the workers, or ends their sockets
        signal.signal(number, signal.SIG_IGN)
    with collector_off():
        from flows.workers.worker import work
        from tasks.calls import provider

        provider.load()
    for socket in sockets:
        if os.fork() == 0:
            for other in set(sockets) - {socket}:
                os.close(other)
            work(socket)
    for socket in sockets:
        os.close(socket)
    for _ in sockets:
        os.wait()


if __name__ == "__main__":
    main([int(socket) for socket in sys.argv[1:]])
