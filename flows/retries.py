"""A Prefect retry of a flow run goes on with the run that it started."""

from pathlib import Path

from prefect.runtime import flow_run

from flows.prepared import read_config
from flows.requests import NightRequest
from flows.run_folder import write_durably
from tasks.plan import RunFolder

FILE = "flow-run"


def remember_flow_run(folder: RunFolder) -> None:
    """Keep the id of the flow run beside the plan."""
    write_durably(folder.path / FILE, str(flow_run.get_id()).encode())


def retried(request: NightRequest) -> NightRequest:
    """What a retry asks for: to go on, where an earlier attempt of this flow run came as far as a plan."""
    if request.resume or flow_run.get_run_count() <= 1:
        return request
    started = run_of(read_config(request).results, flow_run.get_id())
    return request.model_copy(update={"resume": started}) if started else request


def run_of(results: Path, flow_run_id: str | None) -> str | None:
    """The run that a flow run started."""
    files = sorted((results / "runs").glob(f"run-*/{FILE}"))
    return next((file.parent.name for file in files if file.read_text() == flow_run_id), None)
