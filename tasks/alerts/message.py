"""Stories as Slack messages: blocks within Slack's limits, and a text that says the same without them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tasks.alerts.inert import ELLIPSIS, escaped, shorten, unescaped, units
from tasks.alerts.story import Story
from tasks.config import Severity

BLOCKS_UNITS = 12_000
"""Of the JSON of all blocks. Slack documents limits of single blocks only; it has refused messages of 17,000 units as
`msg_blocks_too_long`, and none below 13,000 is known to have been."""

TEXT_UNITS = 3_000
"""Of the text; Slack advises against more than 4,000 characters."""

CUT_ENTITY = re.compile(f"&[a-z]*{ELLIPSIS}$")

Action = Literal["post", "edit", "reply"]
"""Begin a thread, change its first message, or add to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes to Slack. An `id` is never delivered twice; ids sort in the order in which messages go out.

    `thread` is the incident that it belongs to; `severity` decides its channel as it
    is sent; `announced`: a reply that the channel sees as well. `chart` names a
    picture in the outbox, `chart_text` says what it shows.
    """

    id: str
    thread: str
    action: Action
    severity: Severity
    text: str
    blocks: tuple[Mapping[str, Any], ...]
    announced: bool = False
    chart: str | None = None
    chart_text: str = ""


def content_of(story: Story, action: Action) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """Lay out a story with the most detail that fits: as text and as blocks."""
    from tasks.alerts.blocks import DETAILS, first_message, reply

    layout = reply if action == "reply" else first_message
    layouts = ([block.to_dict() for block in layout(story, detail)] for detail in DETAILS)
    blocks = next(filter(fits, layouts))
    *body, footer = map(block_text, blocks)
    return fallback("\n\n".join(body), footer), tuple(blocks)


def fits(blocks: Sequence[Mapping[str, Any]]) -> bool:
    """True for blocks that Slack takes in one message."""
    return units(json.dumps(blocks, ensure_ascii=False)) <= BLOCKS_UNITS


def fallback(body: str, footer: str) -> str:
    """The text of notifications, screen readers, and of a message whose blocks Slack refuses: its end stays whole."""
    end = "\n\n" + escaped(footer)
    return CUT_ENTITY.sub(ELLIPSIS, shorten(escaped(body), TEXT_UNITS - units(end))) + end


def as_text(message: Message) -> str:
    """A message as it reads in a terminal."""
    return "\n\n".join(map(block_text, message.blocks))


def block_text(block: Mapping[str, Any]) -> str:
    """The text of a block as a reader sees it."""
    if block["type"] == "header":
        return unescaped(block["text"]["text"])
    return "\n".join(map(element_text, block["elements"]))


def element_text(element: Mapping[str, Any]) -> str:
    """The text of a piece of rich text."""
    match element["type"]:
        case "rich_text_list":
            items = map(element_text, element["elements"])
            return "\n".join("• " + item.replace("\n", "\n  ") for item in items)
        case "rich_text_section":
            return "".join(map(element_text, element["elements"]))
        case "link":
            return f"{element['text']}: {element['url']}"
        case "user" | "usergroup":
            return "@" + str(element.get("user_id") or element.get("usergroup_id"))
        case _:
            return str(element["text"])
