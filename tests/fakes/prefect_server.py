"""A real Prefect server for the tests of one session, with a database of its own, and a view of what it recorded."""

import json
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.serving.server import start_server


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefectServer:
    """The server; other servers that are started with this `home` share its database."""

    url: str
    home: Path

    def flow_runs(self, **flow_run: Any) -> list[dict[str, Any]]:
        """Find flow runs by a filter: `name={"any_": ["…"]}`."""
        return self.ask("/flow_runs/filter", {"flow_runs": flow_run})

    def task_runs(self, flow_run_id: str) -> list[dict[str, Any]]:
        """Find the task runs of a flow run."""
        return self.ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [flow_run_id]}}})

    def artifacts(self, flow_run_id: str) -> list[dict[str, Any]]:
        """Find the artifacts of a flow run."""
        return self.ask("/artifacts/filter", {"flow_runs": {"id": {"any_": [flow_run_id]}}})

    def logged(self, flow_run_id: str) -> list[str]:
        """Read the messages in a flow run's log."""
        logs = self.ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [flow_run_id]}}})
        return [log["message"] for log in logs]

    def ask(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Send one request to the API."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            found: list[dict[str, Any]] = json.load(response)
        return found


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the folder of Prefect's database, one for all processes of the session: migrations take seconds."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "prefect-home"


@pytest.fixture(scope="session")
def prefect_server(prefect_home: Path) -> Iterator[PrefectServer]:
    """Start the server and point Prefect at it, whether it has been imported or not.

    It ends with the process: Prefect sends its last events only then.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(prefect_home))
        server = start_server()
        server.wait_until_ready()
        patch.setenv("PREFECT_API_URL", server.url)
        point_prefect_at_environment()
        yield PrefectServer(url=server.url, home=prefect_home)


def point_prefect_at_environment() -> None:
    """Let Prefect read its settings again, which it fixed when it was first imported."""
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()
