"""The commands on alerts: preview and ack."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any

from flows.answer import OK, Answered
from flows.planning.prepared import read_config, read_suites
from flows.requests import Request
from flows.run import now
from flows.telling.alerting import report_link
from flows.telling.incident_chart import picture_of
from tasks.alerts.acknowledging import acknowledged
from tasks.alerts.delivery import deliver, is_set_up, keep
from tasks.alerts.incidents import Change, Incident, incidents_of
from tasks.alerts.losses import losses_of
from tasks.alerts.message import block_text, content_of
from tasks.alerts.outbox import Outbox
from tasks.alerts.story import Setting, Story
from tasks.alerts.telling import drafts
from tasks.documents import ConfigFile
from tasks.errors import UsageError
from tasks.records import IncidentStep, Suite, Verdict
from tasks.storage import incidents as stored
from tasks.storage import reads
from tasks.storage.parts import write_part
from tasks.storage.warehouse import Warehouse


def preview(*, config: str, results: str | None) -> Answered:
    """Show the first message of every open incident as Slack would have it now, and what waits for Slack."""
    file = read_config(Request(config=config, results=results))
    shown = [message_of(story) for story in open_stories(file, read_suites(file), now())]
    waiting = [one.message_id for one in Outbox(file.results).waiting()]
    texts = [f"{one['incident_id']}\n\n{one['text']}" for one in shown] or ["No incident is open."]
    texts += [f"Waiting for Slack: {', '.join(waiting)}"] if waiting else []
    data = {"status": "ok", "messages": shown, "waiting": waiting}
    return Answered(exit_code=OK, data=data, text="\n\n---\n\n".join(texts))


def ack(*, config: str, results: str | None, incident_id: str, until: datetime | None) -> Answered:
    """Be quiet about an incident until it is over, or up to and with a day; its thread says so."""
    file = read_config(Request(config=config, results=results))
    moment, day = now(), until.date() if until else None
    incident = open_incident(file, incident_id, day, today=moment.date())
    event = acknowledged(incident, until=day, at=moment)
    write_part(file.results, "incident_events", f"ack-{moment:%Y%m%d-%H%M%S-%f}", [event])
    Warehouse(file.results).ingest()
    change = Change(Incident(incident.id, (*incident.events, event)), "acknowledged", (event,))
    undelivered = tell(file, change, moment)
    told = f"Acknowledged {incident.id} until {day or 'it is over'}."
    text = "\n".join([told, *(f"Its thread will say so later: {reason}" for reason in undelivered)])
    data = {"status": "ok", "incident_id": incident.id, "until": day, "undelivered": undelivered}
    return Answered(exit_code=OK, data=data, text=text)


def open_incident(file: ConfigFile, incident_id: str, until: date | None, *, today: date) -> Incident:
    """Find the incident to acknowledge; raises UsageError where it is not open, or the day is over."""
    found = [incident for incident in incidents_of(stored.incident_events(file.results)) if incident.is_open]
    if until and until < today:
        raise UsageError.single(f"--until: expected today or a later day, got {until}")
    for incident in found:
        if incident.id == incident_id:
            return incident
    ids = ", ".join(incident.id for incident in found) or "none"
    raise UsageError.single(f"expected an open incident, got {incident_id!r}", hint=f"open: {ids}")


def tell(file: ConfigFile, change: Change, moment: datetime) -> list[str]:
    """Say in its thread that an incident is acknowledged; gives why Slack has not got it."""
    slack, token = file.config.slack, file.env.get(file.config.slack.token_env)
    if not is_set_up(slack, token):
        return []
    setting = stored_setting(file, read_suites(file), last_run(change.incident), moment.date())
    first_message = Outbox(file.results).first_message
    prefix = f"run-{moment:%Y%m%d-%H%M%S}-ack"
    written = list(
        drafts(
            [change],
            setting,
            prefix=prefix,
            first_message=first_message,
            draw=lambda story: picture_of(file.results, story),
        )
    )
    keep(file.results, written)
    report = deliver(file.results, slack, token, [draft.message for draft in written])
    return [one.reason for one in report.undelivered]


def open_stories(file: ConfigFile, suites: tuple[Suite, ...], moment: datetime) -> Iterator[Story]:
    """Every open incident as it stands, in the setting of the last run that looked at it."""

    @cache
    def setting(run_id: str) -> Setting:
        return stored_setting(file, suites, run_id, moment.date())

    for incident in incidents_of(stored.incident_events(file.results)):
        if incident.is_open:
            step: IncidentStep = "opened" if incident.nights <= 1 else "ongoing"
            yield Story(Change(incident, step, ()), setting(last_run(incident)))


def last_run(incident: Incident) -> str:
    """The last run that said something of an incident."""
    return max(event.run_id or "" for event in incident.events)


def stored_setting(file: ConfigFile, suites: tuple[Suite, ...], run_id: str, today: date) -> Setting:
    """What the messages of a stored run share."""
    comparisons = stored.comparisons_of(file.results, run_id)
    worse = [one for one in comparisons if one.verdict is Verdict.REGRESSED]
    flips = [flip for one in worse for flip in reads.flips_of(file.results, run_id, one.suite, one.model)]
    excerpts = file.config.slack.excerpts
    return Setting(
        run_id=run_id,
        today=today,
        losses=losses_of(worse, flips, with_excerpts=excerpts),
        owners={suite.name: suite.config.owner for suite in suites if suite.config.owner},
        simulated=tuple(model.name for model in (*file.config.models, *file.config.judges) if model.is_rehearsal),
        links=(report_link(file, run_id),),
        with_excerpts=excerpts,
        options=file.options,
    )


def message_of(story: Story) -> dict[str, Any]:
    """A story as it is shown."""
    _, blocks = content_of(story, "post")
    return {
        "incident_id": story.incident.id,
        "headline": story.headline,
        "text": "\n\n".join(map(block_text, blocks)),
        "blocks": blocks,
    }
