"""The watch on a Prefect server: a version that moved starts the comparison by an event, once."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.prefect_server import PrefectServer
from tests.fakes.provider import FakeProvider, said
from tests.flows.lab import Lab, right
from tests.flows.test_serve import eventually

DEPLOYMENTS = """\
deployments:
  - name: watch
    entrypoint: flows/watch.py:watch
    schedules: [{interval: 15}]
    concurrency_limit: {limit: 1, collision_strategy: CANCEL_NEW}
  - name: compare
    entrypoint: flows/compare.py:compare
    triggers:
      - type: event
        expect: [daybreak.comparison-wanted]
        parameters:
          request:
            __prefect_kind: json
            value: {__prefect_kind: jinja, template: "{{ event.payload.request | tojson }}"}
"""
REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_a_move_found_by_the_watch_starts_the_comparison_once(tmp_path: Path, prefect_server: PrefectServer) -> None:
    shipped = (REPOSITORY / "deployments/prefect.yaml").read_text("utf-8")
    assert DEPLOYMENTS.partition("triggers:")[2].strip() in shipped, "what is shipped is what is tested"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with FakeProvider() as provider:
        provider.answer("*", lambda request: said(right(request), served_as="m-0314"))
        lab = Lab(tmp_path, provider, n=4, gate="{baseline_trials: 1, max_detectable_drop_pp: 100}")
        lab.write("deployments/prefect.yaml", DEPLOYMENTS)
        lab.run("nightly")
        provider.answer("*", lambda request: said(right(request), served_as="m-0613"))
        serving = subprocess.Popen(
            [sys.executable, "-c", "from flows.cli import main; main(['serve'])"],
            cwd=tmp_path,
            env=kept | {"PREFECT_HOME": str(tmp_path / "prefect"), "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert serving.stderr
            found = re.search(r"pages are at (\S+?)\. ", serving.stderr.readline())
            assert found
            server = PrefectServer(url=f"{found[1]}/api", home=tmp_path / "prefect")

            def finished(flow: str) -> int:
                runs = server.ask("/flow_runs/filter", {"flows": {"name": {"any_": [flow]}}})
                return sum(run["state"]["type"] == "COMPLETED" for run in runs if run["state"])

            assert eventually(lambda: finished("compare") == 1, 150), server.flow_runs()
            watches = finished("watch")
            assert eventually(lambda: finished("watch") >= watches + 2, 90)
            assert finished("compare") == 1
        finally:
            serving.send_signal(signal.SIGINT)
            serving.communicate(timeout=60)
    flows = [run["flow"] for run in lab.run("runs").data["runs"]]
    assert flows.count("compare") == 1
    [event] = lab.sql("SELECT kind, text FROM events")
    assert event == {"kind": "version_moved", "text": "small moved from m-0314 to m-0613"}
