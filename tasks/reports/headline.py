"""A run in a sentence, what got worse first."""

from collections import Counter
from collections.abc import Sequence

from tasks.records import RunStatus, Verdict
from tasks.reports.cells import MARKS, CellView, Standing
from tasks.reports.figures import counted


def headline(status: RunStatus, views: Sequence[CellView]) -> str:
    """Say the most important thing about a run."""
    said = finding(views)
    return said if status == "finished" else f"{INCOMPLETE[status]} {said}"


INCOMPLETE: dict[RunStatus, str] = {
    "running": "Still running.",
    "interrupted": "Interrupted.",
    "broken": "The run broke.",
}


def finding(views: Sequence[CellView]) -> str:
    """The worst that was found."""
    regressed = [view for view in views if view.standing is Verdict.REGRESSED]
    gated = [view for view in views if view.failed_gates]
    unmeasured = [view for view in views if view.standing is Verdict.UNMEASURED]
    if not views:
        return "Nothing was evaluated"
    if regressed:
        return f"{named(regressed, len(views))} got worse"
    if gated:
        return f"{named(gated, len(views))} failed {'a gate' if len(gated) == 1 else 'gates'}"
    if unmeasured:
        return f"{named(unmeasured, len(views))} could not be measured"
    return quiet_finding(tally(views))


def named(chosen: Sequence[CellView], total: int) -> str:
    """The one cell by its name, or how many of all there are."""
    if len(chosen) == 1:
        return f"{chosen[0].suite} on {chosen[0].model}"
    return f"{len(chosen)} of {counted(total, 'cell')}"


def quiet_finding(counts: Counter[Standing]) -> str:
    """What can be said when nothing got worse for certain."""
    judged = counts.total() - counts["reference"]
    if judged and counts[Verdict.PINNED] == judged:
        return f"First night: {counted(judged, 'baseline')} pinned"
    if counts[Verdict.INCONCLUSIVE]:
        return f"Nothing got worse for certain, {counts[Verdict.INCONCLUSIVE]} inconclusive"
    if counts[Verdict.IMPROVED]:
        return f"Nothing got worse, {counts[Verdict.IMPROVED]} improved"
    return "Nothing got worse"


def tally(views: Sequence[CellView]) -> Counter[Standing]:
    """How many cells there are of each verdict, what matters most first."""
    found = Counter(view.standing for view in views)
    return Counter({standing: found[standing] for standing in MARKS if found[standing]})
