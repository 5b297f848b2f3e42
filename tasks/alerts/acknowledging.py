"""Say that the team knows of an incident."""

from datetime import date, datetime

from tasks.alerts.incidents import Incident
from tasks.records import IncidentEvent


def acknowledged(incident: Incident, *, until: date | None, at: datetime) -> IncidentEvent:
    """The event; without a day it counts until the incident is over."""
    first = incident.events[0]
    return IncidentEvent(
        incident_id=incident.id,
        step="acknowledged",
        kind=first.kind,
        suite=None,
        model=None,
        recorded_at=at,
        until=until,
    )
