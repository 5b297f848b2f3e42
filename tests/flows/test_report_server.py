"""Reports over HTTP, as `daybreak serve` serves them."""

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flows.serving.report_server import serve_reports
from tasks.errors import UsageError


@pytest.fixture
def address(tmp_path: Path) -> str:
    (tmp_path / "secret.txt").write_text("secret")
    pages = tmp_path / "reports/run-1"
    pages.mkdir(parents=True)
    (pages / "index.html").write_text("<h1>The night</h1>")
    (pages.parent / "empty").mkdir()
    return serve_reports(pages.parent, "127.0.0.1:0")


def ask(address: str, path: str) -> tuple[int, str, str]:
    """Status, type and text; the path goes out as it is written."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.headers.get_content_type(), answer.read().decode()


@pytest.mark.parametrize("path", ["/run-1/index.html", "/run-1/"])
def test_a_report_is_served(address: str, path: str) -> None:
    assert ask(address, path) == (200, "text/html", "<h1>The night</h1>")


@pytest.mark.parametrize(
    "path",
    ["/", "/empty/", "/../secret.txt", "/%2e%2e/secret.txt", "/run-1/..%2f..%2fsecret.txt"],
)
def test_nothing_else_is(address: str, path: str) -> None:
    status, _, text = ask(address, path)
    assert status == 404
    assert "secret" not in text.replace("secret.txt", "")


@pytest.mark.parametrize("place", ["4201", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:99999"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match="expected HOST:PORT"):
        serve_reports(tmp_path, place)


def test_a_place_that_is_taken_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError, match="cannot be had: Address already in use"):
        serve_reports(tmp_path, urlsplit(address).netloc)
