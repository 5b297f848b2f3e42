"""Stories as blocks of Slack's Block Kit: a plain-text header and rich text, which know no markup."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from slack_sdk.models.blocks import (
    Block,
    HeaderBlock,
    PlainTextObject,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextListElement,
    RichTextSectionElement,
)

from tasks.alerts import wording
from tasks.alerts.incidents import Row
from tasks.alerts.inert import escaped, inert, shorten, units
from tasks.alerts.losses import Loss
from tasks.alerts.story import Link, Story, row_name

LINK_UNITS, COMMAND_UNITS = 1_000, 400
WEB = re.compile(r"https?://[^\s<>|\"\\]+")
USER = re.compile(r"<@([UW][A-Z0-9]{6,})>|([UW](?=[A-Z]*\d)[A-Z0-9]{6,})")
USER_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]{6,})>|(S(?=[A-Z]*\d)[A-Z0-9]{6,})")
MOST_OWNERS = 5
BOLD, CODE = {"bold": True}, {"code": True}

Part = RichTextElement


class Detail(NamedTuple):
    """How much a message shows: rows, lost cases of each, units of an output."""

    rows: int
    cases: int
    output_units: int


DETAILS = (Detail(10, 3, 240), Detail(10, 3, 100), Detail(10, 1, 100), Detail(6, 0, 0), Detail(1, 0, 0))
"""From the most to so little that it always fits."""


def first_message(story: Story, detail: Detail) -> Iterator[Block]:
    """Lay out the head of a thread: what it is, since when, what got worse and why, what to do, where to read on."""
    yield HeaderBlock(text=PlainTextObject(text=escaped(story.headline), emoji=False))
    if story.simulated:
        yield RichTextBlock(elements=[paragraph(wording.simulated_note(story.simulated))])
    if preface := [*told(story.since), *mentions(story)]:
        yield RichTextBlock(elements=[RichTextSectionElement(elements=preface)])
    yield from rows_in_full(story, detail)
    if commands := list(command_items(story)):
        yield RichTextBlock(elements=[RichTextListElement(style="bullet", elements=commands)])
    yield RichTextBlock(elements=[footer(story)])


def reply(story: Story, detail: Detail) -> Iterator[Block]:
    """Lay out what one night adds to a thread."""
    title = opening_of_reply(story)
    called = mentions(story) if story.change.step == "worse" else []
    yield RichTextBlock(elements=[RichTextSectionElement(elements=[*told(title, BOLD), *called])])
    if story.change.step == "worse":
        yield from rows_in_full(story, detail, only=[event.suite for event in story.change.events])
    else:
        yield from rows_in_short(story, detail)
    yield RichTextBlock(elements=[footer(story)])


def opening_of_reply(story: Story) -> str:
    """What a night says of an incident, in a line."""
    nights = story.incident.nights
    if not story.incident.is_open:
        return f"{story.headline}. {story.since}"
    match story.change.step:
        case "worse":
            return f"{story.headline}."
        case "acknowledged":
            return story.since
        case _:
            return f"Night {nights}: goes on."


def rows_in_full(story: Story, detail: Detail, only: Sequence[str | None] | None = None) -> Iterator[Block]:
    """Lay out rows, those that are open and worst first, with all that is known tonight."""
    rows = sorted(story.incident.rows, key=lambda row: (not row.is_open, -row.last.level))
    rows = [row for row in rows if only is None or row.key.suite in only]
    shown = rows[: detail.rows]
    short = [row for row in shown if row.key not in story.setting.losses or not row.is_open]
    for row in shown:
        if row not in short:
            loss = story.setting.losses[row.key]
            yield RichTextBlock(elements=[*loss_parts(loss, detail, with_outputs=story.setting.with_excerpts)])
    items = [row_item(row) for row in short]
    if more := len(rows) - len(shown):
        items.append(f"and {more} more, see the report")
    if items:
        yield RichTextBlock(elements=[bullets(items)])


def rows_in_short(story: Story, detail: Detail) -> Iterator[Block]:
    """Lay out what a night said of its rows, one line each."""
    lines = {(event.suite, event.model): event for event in story.change.events if event.step != "acknowledged"}
    rows = [row for row in story.incident.rows if (row.key.suite, row.key.model) in lines]
    items = [row_item(row) for row in rows[: detail.rows]]
    if more := len(rows) - len(items):
        items.append(f"and {more} more, see the report")
    if items:
        yield RichTextBlock(elements=[bullets(items)])


def row_item(row: Row) -> str:
    """A row in a line: as it is, and what it was where it is over."""
    label = f"{row_name(row.key)}: " if row_name(row.key) else ""
    if row.is_open or row.last.line == row.told.line:
        return f"{label}{row.last.line}"
    return f"{label}{row.last.line} (was: {row.told.line})"


def loss_parts(loss: Loss, detail: Detail, *, with_outputs: bool) -> Iterator[Part]:
    """Lay out a cell that got worse: by how much and how sure, from what to what, why, and which answers changed."""
    one = loss.comparison
    facts = [wording.drop_line(one), wording.rates_line(one), wording.cause_line(one)]
    shown = loss.cases[: detail.cases] if with_outputs else ()
    if not shown:
        facts.append(wording.lost_line(loss.cases, loss.n_lost))
    yield paragraph("\n" + "\n".join(filter(None, facts)), title=wording.cell_name(one.suite, one.model))
    if shown:
        more = loss.n_lost - len(shown)
        items = [wording.case_text(case, limit=detail.output_units) for case in shown]
        yield bullets([*items, *([f"and {more} more lost"] if more else [])])


def told(text: str, style: dict[str, bool] | None = None) -> list[Part]:
    """A text, unless there is none."""
    return [RichTextElementParts.Text(text=text, style=style)] if text else []


def mentions(story: Story) -> list[Part]:
    """Who is called: by a mention where the suite names someone in Slack's own form, by name otherwise."""
    called = [mention(owner) for owner in story.owners[:MOST_OWNERS]]
    return [part for one in called for part in (*told(" "), one)]


def mention(owner: str) -> Part:
    """One owner."""
    if found := USER.fullmatch(owner):
        return RichTextElementParts.User(user_id=found[1] or found[2])
    if found := USER_GROUP.fullmatch(owner):
        return RichTextElementParts.UserGroup(usergroup_id=found[1] or found[2])
    return RichTextElementParts.Text(text=wording.name(owner))


def command_items(story: Story) -> Iterator[Part]:
    """What to do next."""
    for purpose, command in story.commands:
        if units(command) <= COMMAND_UNITS:
            yield RichTextSectionElement(elements=[*told(f"{purpose}: "), *told(command, CODE)])


def paragraph(text: str, *, title: str = "") -> Part:
    """A paragraph that may begin with a title."""
    return RichTextSectionElement(elements=[*told(title, BOLD), *told(text)])


def bullets(items: Sequence[str]) -> Part:
    """A list."""
    return RichTextListElement(style="bullet", elements=[paragraph(item) for item in items])


def footer(story: Story) -> Part:
    """Where to read on, and by which names to ask for it."""
    parts: list[Part] = []
    for link in story.setting.links:
        parts += [*linked(link), *told(" · ")]
    return RichTextSectionElement(elements=[*parts, *told(f"{story.setting.run_id} · {story.incident.id}")])


def linked(link: Link) -> list[Part]:
    """A link where there is a web address, else a path."""
    if WEB.fullmatch(link.target) and units(link.target) <= LINK_UNITS:
        return [RichTextElementParts.Link(url=link.target, text=link.label)]
    return told(f"{link.label}: {shorten(inert(link.target), LINK_UNITS)}")
