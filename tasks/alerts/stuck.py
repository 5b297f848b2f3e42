"""Alerts that did not arrive are an incident, too."""

from collections.abc import Sequence

from tasks.alerts.outcomes import Delivery
from tasks.alerts.symptoms import Findings, Key, Symptom
from tasks.alerts.wording import counted, reason
from tasks.config import IncidentKind

UNDELIVERED = Key(IncidentKind.UNDELIVERED, None, None)


def findings_of_delivery(undelivered: Sequence[Delivery]) -> Findings:
    """What became of all that was to be delivered."""
    if not undelivered:
        return Findings(well={UNDELIVERED: "everything was delivered"})
    reasons = dict.fromkeys(one.reason for one in undelivered)
    symptom = Symptom(
        key=UNDELIVERED,
        headline=f"{counted(len(undelivered), 'alert', 'alerts')} not delivered to Slack",
        line=reason("; ".join(reasons)),
        level=len(undelivered),
    )
    return Findings(wrong=(symptom,), well={})
