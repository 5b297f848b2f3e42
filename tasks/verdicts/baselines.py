"""Which trials make up a baseline: a calendar rule that looks at dates and versions, never at verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tasks.records import Setting
from tasks.verdicts.drift import concentration

YOUNG_DAYS = 7
"""A baseline takes in the nights of its first seven days, the pinned one included, and is fixed from then on.

It never slides: a slow decay is measured against the first week and not against last week.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightOfCell:
    """A measured night of a cell with `trials` planned or baseline trials per case; what confirmed is not counted."""

    run_id: str
    started_at: datetime
    trials: int
    setting: Setting

    @property
    def day(self) -> date:
        """Its day by the calendar, UTC."""
        return self.started_at.date()


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineNights:
    """The runs whose planned and baseline trials are compared with.

    `concentration` is what day shifts leave in their mean (1 for one night). A `provisional` baseline holds only the
    trials that prompted its promotion: tonight asks `gate.baseline_trials` per case, and from then on those count.
    """

    run_ids: tuple[str, ...]
    concentration: float
    provisional: bool = False


def baseline_nights(
    pinned: NightOfCell, later: Sequence[NightOfCell], *, tonight: date, promoted_at: datetime | None = None
) -> BaselineNights:
    """Choose the nights of a baseline from the pinned one and those after it.

    A person who promotes a run has seen its result, so its trials are lucky ones; they stand in until the first night
    that begins after `promoted_at`, be it on the same day, was measured in the same setting, and are then discarded. A
    baseline that pinned itself has no `promoted_at` and keeps its pinned trials as the anchor.
    """
    ordered = sorted(later, key=lambda night: night.started_at)
    after = [night for night in ordered if (night.started_at > promoted_at if promoted_at else night.day > pinned.day)]
    fresh = until_changed(after, pinned.setting)
    if promoted_at and not fresh:
        return BaselineNights(run_ids=(pinned.run_id,), concentration=1.0, provisional=not after)
    anchor, *others = first_of_each_day(fresh if promoted_at else [pinned, *fresh])
    young = first_week([anchor, *(night for night in others if night.day < tonight)])
    return BaselineNights(
        run_ids=tuple(night.run_id for night in young), concentration=concentration([night.trials for night in young])
    )


def reference_nights(nights: Sequence[NightOfCell]) -> list[NightOfCell]:
    """The nights of a model that others are compared with: the first week in the setting that it has by now."""
    return first_week(first_of_each_day(since_last_change(nights)))


def since_last_change(nights: Sequence[NightOfCell]) -> list[NightOfCell]:
    """The latest nights that were all measured in the same setting, the earliest first."""
    latest_first = sorted(nights, key=lambda night: night.day)[::-1]
    return until_changed(latest_first, latest_first[0].setting)[::-1] if latest_first else []


def first_week(nights: Sequence[NightOfCell]) -> list[NightOfCell]:
    """Those of the first seven days, counted from the first of them."""
    return [night for night in nights if night.day < nights[0].day + timedelta(days=YOUNG_DAYS)]


def until_changed(nights: Sequence[NightOfCell], setting: Setting) -> list[NightOfCell]:
    """The nights before the first on which anything had changed, also where it was changed back later."""
    same = []
    for night in nights:
        if night.setting != setting:
            break
        same.append(night)
    return same


def first_of_each_day(nights: Sequence[NightOfCell]) -> list[NightOfCell]:
    """Leave out further runs of a day: somebody may have started them because of what the first one said."""
    first: dict[date, NightOfCell] = {}
    for night in nights:
        first.setdefault(night.day, night)
    return list(first.values())
