"""A digest as blocks of Slack's Block Kit: a plain-text header and rich text, which know no markup."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

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
from tasks.alerts.digest import Digest, Regression
from tasks.alerts.inert import escaped, inert, shorten, units

LINK_UNITS = 1_000
LINK = re.compile(r"https?://[^\s<>|\"\\]+")
BOLD = {"bold": True}


class Detail(NamedTuple):
    """How much a message shows: cells that got worse, cases of each, units of an output, lines of every other kind."""

    cells: int
    cases: int
    output_units: int
    lines: int


DETAILS = (
    Detail(10, 3, 240, 10),
    Detail(10, 3, 100, 10),
    Detail(10, 1, 100, 6),
    Detail(6, 0, 0, 5),
    Detail(2, 0, 0, 1),
)
"""From the most to so little that it always fits."""


def blocks_of(digest: Digest, detail: Detail) -> Iterator[Block]:
    """Lay out a digest: what it is, what got worse, what else happened, where to read on."""
    yield HeaderBlock(text=PlainTextObject(text=escaped(wording.headline(digest)), emoji=False))
    if digest.simulated:
        yield RichTextBlock(elements=[paragraph(wording.simulated_note(digest.simulated))])
    for regression in digest.regressions[: detail.cells]:
        yield RichTextBlock(elements=[*regression_elements(regression, detail, with_outputs=digest.excerpts)])
    more = len(digest.regressions) - detail.cells
    if more > 0:
        told = f"and {more} more {'cells' if more > 1 else 'cell'} got worse, see the report"
        yield RichTextBlock(elements=[paragraph(told)])
    yield from listing("Failed gates", digest.gates, wording.gate_line, limit=detail.lines)
    yield from listing("Could not be measured", digest.unmeasured, wording.unmeasured_line, limit=detail.lines)
    yield from listing("Retirement", digest.retirements, wording.retirement_line, limit=detail.lines)
    yield from listing("Noticed", digest.events, wording.event_line, limit=detail.lines)
    yield RichTextBlock(elements=[footer_element(digest)])


def regression_elements(regression: Regression, detail: Detail, *, with_outputs: bool) -> Iterator[RichTextElement]:
    """Lay out a cell that got worse: by how much and how sure, from what to what, why, and which answers changed."""
    one = regression.comparison
    facts = [wording.drop_line(one), wording.rates_line(one), wording.cause_line(one)]
    shown = regression.cases[: detail.cases] if with_outputs else ()
    if not shown:
        facts.append(wording.lost_line(regression))
    yield paragraph("\n" + "\n".join(filter(None, facts)), title=wording.cell_name(one.suite, one.model))
    if shown:
        more = regression.n_lost - len(shown)
        items = [wording.case_text(case, limit=detail.output_units) for case in shown]
        yield bullets([*items, *([f"and {more} more lost"] if more else [])])


def listing(title: str, things: Sequence[Any], line: Callable[[Any], str], *, limit: int) -> Iterator[Block]:
    """Lay out a kind of thing as a list, and say how many more there are."""
    if things:
        more = len(things) - limit
        items = [line(thing) for thing in things[:limit]]
        items += [f"and {more} more, see the report"] if more > 0 else []
        yield RichTextBlock(elements=[paragraph("", title=title), bullets(items)])


def paragraph(text: str, *, title: str = "") -> RichTextElement:
    """A paragraph that may begin with a title."""
    bold = [RichTextElementParts.Text(text=title, style=BOLD)] if title else []
    plain = [RichTextElementParts.Text(text=text)] if text else []
    return RichTextSectionElement(elements=[*bold, *plain])


def bullets(items: Sequence[str]) -> RichTextElement:
    """A list."""
    return RichTextListElement(style="bullet", elements=[paragraph(item) for item in items])


def footer_element(digest: Digest) -> RichTextElement:
    """Where to read on: the report where there is one, and the run."""
    run = RichTextElementParts.Text(text=f"Run {digest.run_id}")
    if digest.report is None:
        return RichTextSectionElement(elements=[run])
    if LINK.fullmatch(digest.report) and units(digest.report) <= LINK_UNITS:
        link = RichTextElementParts.Link(url=digest.report, text="Report")
        return RichTextSectionElement(elements=[link, RichTextElementParts.Text(text=" · "), run])
    path = shorten(inert(digest.report), LINK_UNITS)
    return RichTextSectionElement(elements=[RichTextElementParts.Text(text=f"Report: {path} · "), run])
