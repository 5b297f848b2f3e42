"""When models go away: what every source says, side by side, with the suites at risk."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from tasks.config import ModelConfig
from tasks.lifecycle.claims import Claim
from tasks.lifecycle.risk import notice_level, risk_level
from tasks.records import Lifespan, Retirement

ClaimsOf = Callable[[ModelConfig], Sequence[Claim]]
"""What every source says of a model."""

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
    claims_of: ClaimsOf,
    notice_days: Iterable[int],
    today: date,
) -> tuple[Lifespan, ...]:
    """Tell of every model and judge when it retires: the first to go comes first, those of which nothing is known last.

    `today` is in UTC, as the times of records are.
    """
    levels = tuple(notice_days)

    def lifespan(model: ModelConfig, suites: Sequence[str], judged_suites: Sequence[str]) -> Lifespan:
        claims = tuple(claims_of(model))
        end = end_of(claims)
        days_left = None if end.retires_on is None else (end.retires_on - today).days
        notice = None if days_left is None else notice_level(days_left, levels)
        return Lifespan(
            model=model.name,
            retires_on=end.retires_on,
            days_left=days_left,
            source=end.source,
            notice=notice,
            suites=tuple(suites),
            judged_suites=tuple(judged_suites),
            claims=tuple(map(str, claims)),
            risk=risk_level(days_left, levels, at_risk=bool(suites or judged_suites), is_ready=False),
        )

    rows = [lifespan(model, suites_by_model.get(model.name, ()), ()) for model in models]
    rows += [lifespan(judge, (), suites_by_judge.get(judge.name, ())) for judge in judges]
    return tuple(sorted(rows, key=lambda row: (row.retires_on or date.max, row.model)))


def end_of(claims: Iterable[Claim]) -> End:
    """Choose the earliest date; the source names every other one too, and what is no date."""
    said = list(claims)
    remarks = [claim.remark for claim in said if claim.remark]
    told = sorted((claim.on, claim.source) for claim in said if claim.on)
    if not told:
        return End(None, "; ".join(remarks) or "no source")
    (first, source), *others = told
    agree = "".join(f" and {other}" for day, other in others if day == first)
    differ = [f"{other} says {day}" for day, other in others if day != first]
    return End(first, "; ".join([source + agree, *differ, *remarks]))


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
