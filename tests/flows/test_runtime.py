"""How a run lives and ends: its server, its signals, what Prefect has on record afterwards."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from flows.serving.connection import connect
from flows.serving.prefect_settings import prefect_setting
from flows.serving.server import OwnServer, start_server
from tasks.errors import RunBroken, UsageError
from tests.fakes.prefect_server import PrefectServer

ROOT = Path(__file__).parents[2]


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Leave nothing of the test's own Prefect but where its database is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return kept | {"PREFECT_HOME": str(home)} | variables


def start(*arguments: str, env: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def small_run(home: Path, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    return start("-m", "tests.flows.small_run", *arguments, env=environment(home, **variables))


def eventually(condition: Callable[[], object], timeout_s: float = 60) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def cpu_s(pid: int) -> float:
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_a_run_is_recorded_in_full_and_leaves_no_process(prefect_server: PrefectServer) -> None:
    run = small_run(prefect_server.home, "recorded", "0")
    assert eventually(lambda: children(run.pid))
    [server] = children(run.pid)
    stdout, stderr = run.communicate(timeout=60)
    assert (run.returncode, stdout, stderr) == (0, "COMPLETED\n", "")
    assert not is_running(server)
    [flow_run] = prefect_server.flow_runs(name={"any_": ["recorded"]})
    assert flow_run["state_type"] == "COMPLETED"
    assert [task["state_type"] for task in prefect_server.task_runs(flow_run["id"])] == ["COMPLETED"] * 3
    assert [artifact["key"] for artifact in prefect_server.artifacts(flow_run["id"])] == ["result"]
    assert prefect_server.logged(flow_run["id"]).count("waiting") == 3


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_and_cancelled(prefect_server: PrefectServer, number: signal.Signals) -> None:
    run = small_run(prefect_server.home, number.name, "60", PREFECT_API_URL=prefect_server.url)
    assert eventually(lambda: is_waiting(prefect_server, number.name))
    run.send_signal(number)
    began = time.monotonic()
    stdout, stderr = run.communicate(timeout=30)
    assert (run.returncode, stdout, stderr) == (130, "CANCELLED\n", "")
    assert time.monotonic() - began < 5
    [flow_run] = prefect_server.flow_runs(name={"any_": [number.name]})
    assert flow_run["state_type"] == "CANCELLED"
    assert eventually(
        lambda: [task["state_type"] for task in prefect_server.task_runs(flow_run["id"])] == ["CANCELLED"] * 3
    )


@pytest.mark.slow
def test_the_second_interruption_insists(prefect_server: PrefectServer) -> None:
    run = small_run(prefect_server.home, "stubborn", "60", "--stubborn", PREFECT_API_URL=prefect_server.url)
    assert eventually(lambda: is_waiting(prefect_server, "stubborn"))
    run.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert run.poll() is None
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=30)[0] == "insisted\n"
    assert run.returncode == 130
    [flow_run] = prefect_server.flow_runs(name={"any_": ["stubborn"]})
    assert flow_run["state_type"] == "CRASHED"


def is_waiting(server: PrefectServer, name: str) -> bool:
    """Tell whether all three tasks of a small run are under way."""
    runs = server.flow_runs(name={"any_": [name]})
    return bool(runs) and [task["state_type"] for task in server.task_runs(runs[0]["id"])] == ["RUNNING"] * 3


SERVER_ALONE = """
import time
from flows.serving.server import start_server
server = start_server()
print(server.process.pid, flush=True)
server.wait_until_ready()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ready", [True, False], ids=["ready", "starting"])
def test_the_server_ends_with_a_killed_parent_and_holds_no_output(
    prefect_server: PrefectServer, *, ready: bool
) -> None:
    parent = start("-c", SERVER_ALONE, env=environment(prefect_server.home))
    assert parent.stdout
    server = int(parent.stdout.readline())
    if ready:
        assert parent.stdout.readline() == "ready\n"
    parent.kill()
    began = time.monotonic()
    parent.communicate(timeout=30)
    assert time.monotonic() - began < 2, "something else still held the output open"
    assert eventually(lambda: not is_running(server), 15)


@pytest.mark.slow
def test_two_servers_may_create_one_database_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect's migrations, run by two processes at once, broke one of them in most attempts."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    with own_server() as one, own_server() as other:
        one.wait_until_ready()
        other.wait_until_ready()


@pytest.mark.slow
def test_a_server_at_rest_rests(prefect_server: PrefectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interval that Prefect cuts to 0 seconds kept a core busy."""
    monkeypatch.setenv("PREFECT_HOME", str(prefect_server.home))
    monkeypatch.delenv("PREFECT_API_URL")
    with own_server() as server:
        server.wait_until_ready()
        time.sleep(2)
        before = cpu_s(server.process.pid)
        time.sleep(2)
        assert cpu_s(server.process.pid) - before < 0.4


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file"))
    with own_server() as server, pytest.raises(RunBroken, match=r"Set PREFECT_API_URL[^!]+(FileExists|NotADirectory)"):
        server.wait_until_ready()


@contextmanager
def own_server() -> Iterator[OwnServer]:
    server = start_server()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def answering(status: int, content_type: str) -> Iterator[str]:
    """Answer every request in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(b"true")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "content_type"),
    [(200, "application/json"), (401, "application/json")],
    ids=["healthy", "wants credentials"],
)
def test_a_named_server_that_answers_is_taken(status: int, content_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(status, content_type) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        assert connect() is None


@pytest.mark.parametrize(
    ("status", "content_type"),
    [(503, "application/json"), (200, "text/html")],
    ids=["a gateway without a server behind it", "the pages instead of the API"],
)
def test_what_answers_but_is_no_server_is_refused(
    status: int, content_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(status, content_type) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        with pytest.raises(UsageError, match=f"no Prefect server answers at {url}"):
            connect()


def test_a_named_server_that_stays_silent_is_refused_within_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/api")
        began = time.monotonic()
        with pytest.raises(UsageError):
            connect()
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "file:///etc/hosts", "127.0.0.1:4200", "http://[/api"])
def test_an_address_at_which_nothing_answers_costs_no_import_of_prefect(url: str, tmp_path: Path) -> None:
    run = small_run(tmp_path, "unreachable", "0", PREFECT_API_URL=url, PYTHONPROFILEIMPORTTIME="1")
    stderr = run.communicate(timeout=30)[1]
    assert run.returncode == 1
    assert f"UsageError: no Prefect server answers at {url} (start it or unset PREFECT_API_URL)" in stderr
    assert not [line for line in stderr.splitlines() if line.endswith("| prefect")]


PROFILES = 'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "profile"\n[profiles.other]\nPREFECT_API_URL = "other"'


@pytest.mark.parametrize(
    ("files", "variables", "expected"),
    [
        ({}, {}, None),
        ({}, {"PREFECT_API_URL": ""}, None),
        ({}, {"PREFECT_PROFILE": "local"}, None),
        ({"home/profiles.toml": PROFILES}, {}, "profile"),
        ({"home/profiles.toml": PROFILES}, {"PREFECT_PROFILE": "other"}, "other"),
        ({"elsewhere.toml": PROFILES}, {"PREFECT_PROFILES_PATH": "elsewhere.toml"}, "profile"),
        ({"home/profiles.toml": PROFILES, "pyproject.toml": '[tool.prefect.api]\nurl = "pyproject"'}, {}, "pyproject"),
        ({"pyproject.toml": '[tool.prefect.api]\nurl = "late"', "prefect.toml": '[api]\nurl = "early"'}, {}, "early"),
        ({"prefect.toml": '[api]\nurl = "toml"', ".env": "PREFECT_API_URL=dotenv"}, {}, "dotenv"),
        ({".env": "PREFECT_API_URL=dotenv"}, {"PREFECT_API_URL": "variable"}, "variable"),
    ],
)
def test_settings_are_those_that_prefect_itself_would_find(
    files: dict[str, str],
    variables: dict[str, str],
    expected: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert prefect_setting("api", "url") == expected
    assert prefects_own_answer() == expected


def prefects_own_answer() -> str | None:
    from prefect.settings.models.api import APISettings

    return APISettings().url or None


def test_a_settings_file_that_is_no_toml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "prefect.toml").write_text("api = ")
    with pytest.raises(UsageError, match=r"^prefect\.toml: Prefect's settings cannot be read: "):
        prefect_setting("api", "url")
