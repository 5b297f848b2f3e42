"""Serve every deployment with its schedule from one process."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from flows import runtime
from flows.planning.prepared import read_config, read_suites
from flows.requests import Request
from flows.serving.report_server import serve_reports
from flows.telling.reporting import list_runs
from tasks.documents import read_yaml
from tasks.documents.wording import shown
from tasks.errors import Problem, UsageError

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

FLOWS = ("nightly", "compare", "watch")
HINT = (
    'write, for example, deployments: [{name: nightly, entrypoint: "flows/nightly.py:nightly", '
    'schedules: [{cron: "0 2 * * *"}]}]'
)


class Schedule(BaseModel):
    """When a deployment runs by itself: a cron line in a time zone, or every so many seconds."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    cron: str | None = None
    interval: float | None = Field(None, gt=0)
    timezone: str = "UTC"


class Deployment(BaseModel):
    """What this process needs to know of an entry in prefect.yaml; the rest is for `prefect deploy`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    entrypoint: str
    description: str = ""
    parameters: dict[str, Any] = {}
    schedules: tuple[Schedule, ...] = ()
    concurrency_limit: dict[str, Any] | None = None
    triggers: tuple[dict[str, Any], ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def flow(self) -> str:
        """The flow's name, after its entry point."""
        return self.entrypoint.rpartition(":")[2]


def serve(config: str, results: str | None, reports: str) -> None:
    """Serve until Ctrl-C; raises UsageError for what would only show when a schedule fires."""
    file = read_config(Request(config=config, results=results))
    read_suites(file)
    deployments = read_deployments(file.path.parent / "prefect.yaml")
    list_runs(file.results)
    address = serve_reports(file.results / "reports", reports)
    runtime.prepare(lasting=True)
    from prefect import serve as serve_deployments

    pages = os.environ["PREFECT_API_URL"].removesuffix("/api")
    places = f"Prefect's pages are at {pages}. Reports are at {address} . Ctrl-C ends."
    print(f"Serving {len(deployments)} deployments; {places}", file=sys.stderr)
    request = {"config": config, **({"results": results} if results else {})}
    serve_deployments(*(to_runner(deployment, request) for deployment in deployments), print_starting_message=False)


def read_deployments(path: Path) -> list[Deployment]:
    """Read prefect.yaml; raises UsageError where it is wrong or names a flow that is none of ours."""
    if not path.is_file():
        raise UsageError.single("expected deployments with schedules, found no file", where=shown(path), hint=HINT)
    entries = read_yaml(path).data.get("deployments") or []
    try:
        deployments = [Deployment.model_validate(entry) for entry in entries]
    except ValidationError as error:
        wrong = [(".".join(map(str, one["loc"])), one["msg"], one["input"]) for one in error.errors()]
        raise UsageError(Problem(shown(path), f"{where}: {what}, got {got!r}") for where, what, got in wrong) from error
    unknown = [one for one in deployments if one.flow not in FLOWS]
    if unknown or not deployments:
        names = ", ".join(one.entrypoint for one in unknown) or "no deployment"
        raise UsageError([Problem(shown(path), f"expected deployments of {', '.join(FLOWS)}, got {names}")])
    return deployments


def to_runner(deployment: Deployment, request: Mapping[str, str]) -> "RunnerDeployment":
    """A deployment as Prefect serves it: its own parameters over those of the command line."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig
    from prefect.events import DeploymentTriggerTypes
    from prefect.schedules import Cron, Interval
    from prefect.types.entrypoint import EntrypointType

    from flows.commands.evaluate import flow_named

    try:
        schedules = [
            Cron(one.cron, timezone=one.timezone) if one.cron else Interval(one.interval or 0, timezone=one.timezone)
            for one in deployment.schedules
        ]
    except ValueError as error:
        raise UsageError.single(f"deployment {deployment.name!r}: its schedule is none: {error}") from error
    try:
        triggers = TypeAdapter(list[DeploymentTriggerTypes]).validate_python(deployment.triggers)
    except ValidationError as error:
        raise UsageError.single(f"deployment {deployment.name!r}: a trigger is none: {error}") from error
    limit = deployment.concurrency_limit
    return flow_named(deployment.flow).to_deployment(  # type: ignore[no-any-return]
        name=deployment.name,
        description=deployment.description,
        parameters={**deployment.parameters, "request": {**request, **deployment.parameters.get("request", {})}},
        schedules=schedules or None,
        concurrency_limit=ConcurrencyLimitConfig(**limit) if limit else None,
        tags=list(deployment.tags),
        triggers=triggers,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
