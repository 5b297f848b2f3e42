"""A provider's list of models, asked for over HTTP: what is no list is no news."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tasks.lifecycle.claims import Listing
from tasks.lifecycle.model_list import Source, listings


@contextmanager
def answering(body: bytes) -> Iterator[Source]:
    """A provider that says this, whatever it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield Source(f"http://127.0.0.1:{server.server_port}/v1", "key")
        server.shutdown()
        serving.join()


def listed(body: bytes) -> Listing | None:
    with answering(body) as source:
        return asyncio.run(listings([source])).get(source)


def test_a_list_is_read() -> None:
    assert listed(b'{"data": [{"id": "a", "shutdown_date": "2027-01-01"}]}') == {"a": "2027-01-01"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"data": [{"id": "a", "shutdown_date": ' + b"[" * 200_000,
        b'{"data": [{"id": "a"}]}' + b" " * 8_000_000,
    ],
    ids=["empty", "page", "bytes", "nested", "nested date", "endless"],
)
def test_what_is_no_list_is_no_news(body: bytes) -> None:
    assert listed(body) is None


def test_of_a_date_that_is_a_novel_little_is_kept() -> None:
    body = json.dumps({"data": [{"id": "a", "shutdown_date": "soon " * 10_000}]}).encode()
    found = listed(body)
    assert found is not None
    assert len(found["a"] or "") == 64
