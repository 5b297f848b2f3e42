"""Flow runs of Prefect that go on with a run: a retry with the one that it started, a resumed one with another's."""

from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed

from flows.planning.prepared import read_config
from flows.requests import NightRequest
from tasks.files import write_whole
from tasks.plan import RunFolder

FILE = "flow-run"


async def take_over(folder: RunFolder) -> None:
    """Keep the id of the flow run beside the plan; one that was killed at the same run has crashed."""
    mine, path = str(flow_run.get_id()), folder.path / FILE
    before = path.read_text() if path.exists() else mine
    if before != mine:
        await mark_crashed(UUID(before), f"It was killed; {mine} went on with {folder.run_id}.")
    write_whole(path, mine.encode())


async def mark_crashed(flow_run_id: UUID, why: str) -> None:
    """End a flow run of which Prefect does not know that its process is gone; it holds its slot until then."""
    async with get_client() as client:
        try:
            found = await client.read_flow_run(flow_run_id)
        except ObjectNotFound:
            return  # of another server
        if found.state is None or not found.state.is_final():
            await client.set_flow_run_state(flow_run_id, Crashed(message=why), force=True)


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
