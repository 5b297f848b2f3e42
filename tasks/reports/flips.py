"""The cases that changed, side by side, as many as a page can hold."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tasks.records import Flip
from tasks.reports.cells import CellView, flips_in_turn
from tasks.reports.commands import select
from tasks.reports.excerpts import Excerpt, excerpt, excerpts, gists, readable
from tasks.reports.page import ReportPage, anchor
from tasks.reports.word_diff import Piece, word_diff

MOST_BYTES, MOST_BYTES_OF_RUN = 2_000_000, 8_000_000
"""Of the flips of a page, and of all pages of a run, as HTML."""

FIRST_LOST = 5
"""Of a cell that got worse, on the page of the night."""

MOST_TAGS = 20
"""Of one case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two outputs: in pieces, and how much of it was left out. Without an excerpt there was no text."""

    outcome: str
    reason: str | None
    excerpt: Excerpt | None
    pieces: tuple[Piece, ...]
    gist: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipView:
    """A flip with its case, cut to what is shown; `commands` say where the whole of it is."""

    anchor: str
    direction: str
    case_id: str
    kind: str | None
    tags: tuple[str, ...]
    input: Excerpt | None
    expected: Excerpt | None
    before: Side
    now: Side
    commands: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Filters:
    """What flips can be filtered by: kinds and tags with the numbers by which the page knows them."""

    kinds: dict[str, int] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)

    def of(self, flip: FlipView) -> "FilterKeys":
        """The numbers of a flip's kind and tags, new ones where they were not yet seen."""
        kind = "" if flip.kind is None else str(self.kinds.setdefault(flip.kind, len(self.kinds)))
        return FilterKeys(kind, " ".join(str(self.tags.setdefault(tag, len(self.tags))) for tag in flip.tags))


@dataclass(frozen=True, slots=True)
class FilterKeys:
    """By which a flip is found."""

    kind: str
    tags: str


@dataclass(slots=True, kw_only=True)
class FlipGroup:
    """The flips of one cell: those that are shown, as HTML, and what they can be filtered by."""

    view: CellView
    options: tuple[str, ...] = ()
    filters: Filters = field(default_factory=Filters)
    shown: list[str] = field(default_factory=list)
    first_lost: list[FlipView] = field(default_factory=list)
    size: int = 0

    @property
    def left_out(self) -> int:
        """How many are in the warehouse alone."""
        return len(self.view.flips) - len(self.shown)

    @property
    def command(self) -> str:
        """Reads all of them."""
        cell = self.view.cell
        return select("*", "flips", options=self.options, run_id=cell.run_id, suite=cell.suite, model=cell.model)


def flip_groups(
    page: ReportPage,
    views: Sequence[CellView],
    draw: Callable[[FlipView, FilterKeys], str],
    *,
    most_bytes: int = MOST_BYTES_OF_RUN,
) -> list[FlipGroup]:
    """Draw flips, of each cell until its page is full, until there are enough, in the order of the cells."""
    groups = {view.anchor: FlipGroup(view=view, options=page.options) for view in views if view.flips}
    for view, flip in flips_in_turn(views):
        group = groups[view.anchor]
        if group.size >= MOST_BYTES:
            continue
        shown = flip_view(page, view, flip)
        drawn = draw(shown, group.filters.of(shown))
        group.shown.append(drawn)
        if shown.direction == "lost" and len(group.first_lost) < FIRST_LOST:
            group.first_lost.append(shown)
        group.size += len(drawn.encode())
        most_bytes -= len(drawn.encode())
        if most_bytes <= 0:
            break
    return list(groups.values())


def flip_view(page: ReportPage, view: CellView, flip: Flip) -> FlipView:
    """Cut a flip and its case to what is shown."""
    case = page.cases.get((flip.suite, flip.case_id))
    before, now = sides(flip)
    input_ = excerpt(readable(case.input)) if case else None
    expected = excerpt(readable(case.expected)) if case and case.expected != "null" else None
    commands = whole_outputs(flip, page.options) if is_cut(before.excerpt, now.excerpt) else []
    if is_cut(input_, expected):
        where = {"suite": flip.suite, "dataset_hash": view.cell.dataset_hash, "case_id": flip.case_id}
        commands.append(select("input, expected", "cases", options=page.options, **where))
    return FlipView(
        anchor=anchor(flip.suite, flip.model, flip.case_id),
        direction=flip.direction,
        case_id=flip.case_id,
        kind=case.kind if case else None,
        tags=case.tags[:MOST_TAGS] if case else (),
        input=input_,
        expected=expected,
        before=before,
        now=now,
        commands=tuple(commands),
    )


def is_cut(*texts: Excerpt | None) -> bool:
    """True where something of a text was left out."""
    return any(text is not None and text.is_shortened for text in texts)


def whole_outputs(flip: Flip, options: Sequence[str]) -> list[str]:
    """The command that reads both outputs in full."""
    names = {"run_id": flip.run_id, "suite": flip.suite, "model": flip.model, "case_id": flip.case_id}
    return [select("baseline_output, output", "flips", options=options, **names)]


def sides(flip: Flip) -> Iterator[Side]:
    """Yield both outputs with their differences, the baseline's first."""
    outcomes = ("passed", "failed") if flip.direction == "lost" else ("failed", "passed")
    outputs, reasons = (flip.baseline_output, flip.output), (flip.baseline_reason, flip.reason)
    cut = excerpts(outputs[0] or "", outputs[1] or "")
    texts = [None if output is None else shown.text for output, shown in zip(outputs, cut, strict=True)]
    diff = word_diff(cut[0].text, cut[1].text)
    for outcome, reason, text, shown, pieces, gist in zip(
        outcomes, reasons, texts, cut, diff, gists(*texts), strict=True
    ):
        whole = None if text is None else shown
        yield Side(outcome=outcome, reason=reason, excerpt=whole, pieces=pieces, gist=gist)
