"""A line that says that Daybreak is alive, in nights of which nothing else is told."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tasks.alerts.delivery import Draft
from tasks.alerts.incidents import Incident
from tasks.alerts.inert import escaped
from tasks.alerts.message import Message
from tasks.alerts.wording import counted

WEEK = timedelta(days=7)


def is_due(how_often: str, nights: Sequence[datetime], now: datetime) -> bool:
    """True in every night, or in the first one of a calendar week that does not belong to the first week."""
    if how_often != "weekly":
        return how_often == "nightly"
    weeks = {start.isocalendar()[:2] for start in nights}
    return bool(weeks) and now.isocalendar()[:2] not in weeks


def quiet_line(incidents: Sequence[Incident], nights: Sequence[datetime], now: datetime, *, how_often: str) -> str:
    """What a quiet night says."""
    open_now = [incident.id for incident in incidents if incident.is_open]
    still = f"{counted(len(open_now), 'incident', 'incidents')} open" if open_now else "nothing is open"
    if how_often == "nightly":
        return f"A quiet night: {still}."
    since = now - WEEK
    opened = sum(incident.opened_at >= since for incident in incidents)
    over = sum(not incident.is_open and incident.last_at >= since for incident in incidents)
    ran = counted(1 + sum(start >= since for start in nights), "night", "nights")
    return f"The last seven days: {ran}, {opened} opened, {over} over; {still}."


def quiet_draft(line: str, run_id: str) -> Draft:
    """The line as a message, where notices go."""
    from slack_sdk.models.blocks import RichTextBlock, RichTextElementParts, RichTextSectionElement

    block = RichTextBlock(elements=[RichTextSectionElement(elements=[RichTextElementParts.Text(text=line)])])
    return Draft(
        Message(
            id=f"{run_id}.quiet",
            thread=f"{run_id}.quiet",
            action="post",
            severity="notice",
            text=escaped(line),
            blocks=(block.to_dict(),),
        )
    )
