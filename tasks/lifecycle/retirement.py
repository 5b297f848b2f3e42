"""When models go away: what the team wrote and what litellm knows, side by side, with the suites at risk."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from tasks.config import ModelConfig
from tasks.records import Lifespan, Retirement

RETIRED = -1
"""The notice level of a model that is gone: below every number of days that can be asked for."""

KnownDate = Callable[[ModelConfig], str | None]
"""What litellm says of a model, as it is written there."""

Suites = Mapping[str, Sequence[str]]
"""The suites of each model or judge, by its name."""


class End(NamedTuple):
    """The date that counts, and what each source says."""

    retires_on: date | None
    source: str


def retirement_table(
    models: Iterable[ModelConfig],
    judges: Iterable[ModelConfig],
    *,
    suites_by_model: Suites,
    suites_by_judge: Suites,
    known_date: KnownDate,
    notice_days: Iterable[int],
    today: date,
    replacements: Mapping[str, str] | None = None,
) -> tuple[Lifespan, ...]:
    """Tell of every model and judge when it retires: the first to go comes first, those of which nothing is known last.

    `today` is in UTC, as the times of records are: `crossed` compares the two. `replacements` are measured elsewhere.
    """
    levels = tuple(notice_days)

    def lifespan(model: ModelConfig, suites: Sequence[str], judged_suites: Sequence[str]) -> Lifespan:
        end = end_of(model, known_date)
        days_left = None if end.retires_on is None else (end.retires_on - today).days
        return Lifespan(
            model=model.name,
            retires_on=end.retires_on,
            days_left=days_left,
            source=end.source,
            notice=None if days_left is None else notice_level(days_left, levels),
            suites=tuple(suites),
            judged_suites=tuple(judged_suites),
            replacement=(replacements or {}).get(model.name),
        )

    rows = [lifespan(model, suites_by_model.get(model.name, ()), ()) for model in models]
    rows += [lifespan(judge, (), suites_by_judge.get(judge.name, ())) for judge in judges]
    return tuple(sorted(rows, key=lambda row: (row.retires_on or date.max, row.model)))


def end_of(model: ModelConfig, known_date: KnownDate) -> End:
    """Choose the earliest date; the source names every other one too, and what cannot be read as a date.

    A simulated model has no provider that could retire it: only the config counts.
    """
    written = None if model.is_rehearsal else known_date(model)
    known = None if written is None else read_date(written)
    dates = {"config": model.retires_on, "litellm": known}
    told = sorted((day, source) for source, day in dates.items() if day)
    remark = f"litellm's {written!r} is no date" if written is not None and known is None else ""
    if not told:
        return End(None, remark or "no source")
    (first, source), *others = told
    agree = "".join(f" and {other}" for day, other in others if day == first)
    differ = [f"{other} says {day}" for day, other in others if day != first]
    return End(first, "; ".join([source + agree, *differ, *filter(None, [remark])]))


def read_date(text: str) -> date | None:
    """Read a date such as 2027-01-14; None where it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def notice_level(days_left: int, notice_days: Iterable[int]) -> int | None:
    """Find the tightest level that was reached: the smallest one not below the days left. None: not yet any."""
    return min((level for level in (*notice_days, RETIRED) if days_left <= level), default=None)


def crossed(
    table: Iterable[Lifespan], known_before: Mapping[str, Retirement], *, notice_days: Sequence[int]
) -> tuple[Lifespan, ...]:
    """Choose the models that reached a tighter level than the one they were last recorded at.

    `known_before` holds the latest record of each model, written when it was announced or looked at. A date that was
    unknown then, or has moved closer, counts like one that time has brought closer; a model that is new is announced
    at the level where it stands.
    """

    def is_new(row: Lifespan) -> bool:
        before = known_before.get(row.model)
        if row.notice is None or before is None:
            return row.notice is not None
        last = notice_level((before.retires_on - before.recorded_at.date()).days, notice_days)
        return last is None or row.notice < last

    return tuple(row for row in table if is_new(row))


def retirement_records(table: Iterable[Lifespan], *, recorded_at: datetime) -> Iterator[Retirement]:
    """Make the records of a table: of the models whose date is known."""
    for row in table:
        if row.retires_on is not None:
            yield Retirement(
                model=row.model,
                retires_on=row.retires_on,
                source=row.source,
                replacement=row.replacement,
                recorded_at=recorded_at,
            )
