"""Tell Prefect what was noticed of a model, so that automations can act on it."""

from dataclasses import asdict
from uuid import NAMESPACE_URL, uuid5

from prefect.events import emit_event

from flows.requests import CompareRequest
from tasks.records import Event


def announce(event: Event, *, noticed_by: str) -> None:
    """Emit `daybreak.version-moved` and the like; one that was emitted before counts as the same event."""
    name = f"daybreak.{event.kind.replace('_', '-')}"
    emit_event(
        event=name,
        resource={
            "prefect.resource.id": f"daybreak.model.{event.model}",
            "prefect.resource.name": event.model,
            "daybreak.noticed-by": noticed_by,
        },
        payload={**asdict(event), "noticed_at": event.noticed_at.isoformat()},
        id=uuid5(NAMESPACE_URL, f"{name} {event.model} {event.suite} {event.run_id}"),
    )


def ask_for_comparison(request: CompareRequest, *, run_id: str) -> None:
    """Emit `daybreak.comparison-wanted`, on which the deployment of `compare` waits."""
    emit_event(
        event="daybreak.comparison-wanted",
        resource={"prefect.resource.id": f"daybreak.model.{request.candidate}"},
        payload={"request": request.model_dump(mode="json")},
        id=uuid5(NAMESPACE_URL, f"{run_id} {request.model_dump_json()}"),
    )
