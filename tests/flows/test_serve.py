"""The schedule: `daybreak serve` runs nights by itself, and never two at once."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.prefect_server import PrefectServer
from tests.fakes.provider import FakeProvider, said
from tests.flows.lab import Lab, right

DEPLOYMENTS = """\
deployments:
  - name: nightly
    entrypoint: flows/nightly.py:nightly
    schedules: [{interval: 4}]
    concurrency_limit: {limit: 1, collision_strategy: CANCEL_NEW}
  - name: compare
    entrypoint: flows/compare.py:compare
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_schedule_fires_a_night_runs_and_one_that_overlaps_is_refused(tmp_path: Path, prefect_home: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with FakeProvider() as provider:
        provider.answer("*", lambda request: said(right(request), delay_s=9))
        lab = Lab(tmp_path, provider, n=3, gate="{baseline_trials: 1}")
        lab.write("deployments/prefect.yaml", DEPLOYMENTS)
        serving = subprocess.Popen(
            [sys.executable, "-c", "from flows.cli import main; main(['serve', '--reports', '127.0.0.1:0'])"],
            cwd=tmp_path,
            env=kept | {"PREFECT_HOME": str(prefect_home), "PYTHONPATH": str(Path(__file__).parents[2])},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert serving.stderr
            line = serving.stderr.readline()
            found = re.search(r"pages are at (\S+?)\. Reports are at (\S+) ", line)
            assert found, line
            server = PrefectServer(url=f"{found[1]}/api", home=prefect_home)
            states: list[str] = []

            def both_happened() -> bool:
                ended = {"type": {"any_": ["COMPLETED", "CANCELLED"]}}  # of all runs the server gives 200 alone
                mine = server.flow_runs(deployment_id={"is_null_": False}, state=ended)
                states[:] = [run["state"]["type"] for run in mine]
                return "COMPLETED" in states and "CANCELLED" in states

            assert eventually(both_happened, 240), states
            with urllib.request.urlopen(found[2], timeout=5) as page:
                assert "All runs" in page.read().decode()
            form = server.ask("/deployments/filter", {"deployments": {"name": {"any_": ["compare"]}}})
            assert "candidate" in str(form[0]["parameter_openapi_schema"])
        finally:
            serving.send_signal(signal.SIGINT)
            _, told = serving.communicate(timeout=60)
    finished = [run for run in lab.run("runs").data["runs"] if run["status"] == "finished"]
    assert finished
    assert finished[-1]["flow"] == "nightly"
    assert f"{finished[-1]['run_id']}: nightly begins, 1 cell(s)" in told
    assert f"{finished[-1]['run_id']}: nightly ended: Nothing regressed" in told
    assert serving.returncode == 130


@pytest.mark.parametrize(
    ("deployments", "message"),
    [
        (None, "found no file"),
        ("deployments: []", "got no deployment"),
        ("deployments: [{name: x, entrypoint: 'flows/other.py:other'}]", "got flows/other.py:other"),
        ("deployments: [{name: x}]", "entrypoint"),
        ("deployments: [{name: x, entrypoint: 'a:nightly', schedules: [{interval: -1}]}]", "interval"),
    ],
)
def test_wrong_deployments_are_refused_before_anything_starts(
    tmp_path: Path, deployments: str | None, message: str
) -> None:
    with FakeProvider() as provider:
        lab = Lab(tmp_path, provider)
        if deployments:
            lab.write("deployments/prefect.yaml", deployments)
        ended = lab.run("serve")
    assert ended.exit_code == 2
    assert message in str(ended.data["problems"])


def eventually(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Wait for something to become true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True
