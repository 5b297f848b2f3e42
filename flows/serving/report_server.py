"""The reports folder over HTTP, for as long as `daybreak serve` runs."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tasks.errors import UsageError

HIGHEST_PORT = 65_535


class Reports(SimpleHTTPRequestHandler):
    """Pages and nothing else: no lists of folders, no word of each request on the terminal."""

    def list_directory(self, path: Any) -> None:
        """Refuse; the list of runs is a page."""
        self.send_error(404)

    def end_headers(self) -> None:
        """Let no browser take a file for what it is not, or keep a page that a later run replaces."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve_reports(reports: Path, place: str) -> str:
    """Serve a folder in the background; gives its address.

    Raises:
        UsageError: the place is no HOST:PORT, or cannot be had.
    """
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise UsageError.single(f"--reports: expected HOST:PORT, got {place!r}", hint="for example 127.0.0.1:4201")
    try:
        server = ThreadingHTTPServer((host, int(port)), partial(Reports, directory=str(reports)))
    except OSError as error:
        raise UsageError.single(
            f"--reports: {place} cannot be had: {error.strerror or error}", hint="name another, such as 127.0.0.1:0"
        ) from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="reports").start()
    return f"http://{host}:{server.server_address[1]}/"
