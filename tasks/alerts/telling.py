"""Which messages a run sends: one thread per incident, and in it only what changed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from tasks.alerts.delivery import Draft
from tasks.alerts.incidents import Change, Incident
from tasks.alerts.message import Action, Message, content_of
from tasks.alerts.story import Setting, Story
from tasks.config import Acknowledged, IncidentKind, Severity

SEVERITY: Mapping[IncidentKind, Severity] = {
    IncidentKind.REGRESSION: "alarm",
    IncidentKind.PASS_RATE: "alarm",
    IncidentKind.NIGHT: "alarm",
    IncidentKind.VERSION: "notice",
    IncidentKind.PROMPT: "notice",
}
"""All other kinds are warnings; a retirement becomes one within a month."""

SOON_DAYS = 30
EVERY_NIGHT = frozenset(
    {
        IncidentKind.REGRESSION,
        IncidentKind.PASS_RATE,
        IncidentKind.UNMEASURED,
        IncidentKind.JUDGE,
        IncidentKind.BUDGET,
        IncidentKind.LATENCY,
        IncidentKind.COST,
    }
)
"""Kinds that a night measures anew; the others are told of when they change."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as PNG, and what it shows in words."""

    png: bytes
    text: str


Draw = Callable[[Story], Picture | None]


def drafts(
    changes: Iterable[Change],
    setting: Setting,
    *,
    acknowledged: Sequence[Acknowledged] = (),
    first_message: Callable[[str], str | None],
    draw: Draw = lambda _: None,
    prefix: str | None = None,
    printed: bool = False,
) -> Iterator[Draft]:
    """Write the messages of a run; their ids begin with its own, or with the prefix.

    `first_message` gives the id of an incident's first message, where there is one; one of this very run does not
    count, so that a run that is repeated writes the same. `printed`: there is no Slack, hence there are no threads.
    """
    number, begin = count(), prefix or setting.run_id
    for change in changes:
        story = Story(change, setting)
        first = first_message(change.incident.id)
        has_thread = first is not None and not first.startswith(begin)
        quiet = is_silenced(change, setting, acknowledged)
        for action in actions(story, has_thread=has_thread, is_silenced=quiet, printed=printed):
            yield draft(story, action, f"{begin}.{next(number):03}", draw)


def draft(story: Story, action: Action, message_id: str, draw: Draw) -> Draft:
    """Write one message."""
    text, blocks = content_of(story, action)
    picture = None if action == "reply" else draw(story)
    message = Message(
        id=message_id,
        thread=story.incident.id,
        action=action,
        severity=severity(story.incident),
        text=text,
        blocks=blocks,
        announced=action == "reply" and story.change.step not in {"ongoing", "acknowledged"},
        chart=f"{message_id}.png" if picture else None,
        chart_text=picture.text if picture else "",
    )
    return Draft(message, picture.png if picture else None)


def actions(story: Story, *, has_thread: bool, is_silenced: bool, printed: bool = False) -> tuple[Action, ...]:
    """What is sent of a change: a first message where there is none, else what is new in its thread."""
    incident, step = story.incident, story.change.step
    if step == "acknowledged":
        return ("edit", "reply") if has_thread else ()
    if not has_thread:
        is_new = not printed or not is_old_news(story) or incident.kind in EVERY_NIGHT
        is_told = (incident.is_open and not is_silenced and is_new) or story.is_news_of_the_past
        return ("post",) if is_told else ("reply",) if printed and not incident.is_open else ()
    if not incident.is_open:
        return "edit", "reply"
    if is_silenced:
        return ()
    if is_old_news(story):
        return ("reply",) if incident.kind in EVERY_NIGHT else ()
    return "edit", "reply"


def is_old_news(story: Story) -> bool:
    """True for what is as it was when it was last told."""
    partly_over = any(event.step in {"resolved", "closed"} for event in story.change.events)
    return story.change.step == "ongoing" and not partly_over and not acknowledgement_ended(story)


def is_silenced(change: Change, setting: Setting, acknowledged: Sequence[Acknowledged]) -> bool:
    """True for what the team knows of: an acknowledged incident to which nothing was added, or rows that the config
    acknowledges."""
    incident = change.incident
    if incident.is_acknowledged(setting.today) and "opened" not in {event.step for event in change.events}:
        return True
    rows = [row.key for row in incident.open_rows]
    in_force = [one for one in acknowledged if one.until is None or one.until >= setting.today]
    return bool(rows) and all(any(one.covers(*key) for one in in_force) for key in rows)


def acknowledgement_ended(story: Story) -> bool:
    """True in the first night after the last day of an acknowledgement."""
    given = story.incident.acknowledgement
    if given is None or given.until is None or given.until >= story.setting.today:
        return False
    before = [event for event in story.incident.events if event not in story.change.events]
    return max(event.recorded_at for event in before).date() <= given.until


def severity(incident: Incident) -> Severity:
    """How much an incident matters."""
    if incident.kind is not IncidentKind.RETIREMENT:
        return SEVERITY.get(incident.kind, "warning")
    days_left = min(-row.last.level for row in incident.rows)
    return "alarm" if days_left < 0 else "warning" if days_left <= SOON_DAYS else "notice"
