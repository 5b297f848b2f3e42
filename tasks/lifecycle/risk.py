"""How much is at risk when a model retires: the levels, and their rules.

| level | rule |
|---|---|
| `none` | no suite asks the model |
| `unknown` | no source gives a credible date |
| `low` | no level of `notice_days` is reached yet |
| `medium` | a level is reached |
| `high` | the tightest level is reached |
| `critical` | the date has passed, or the provider has no such model any more |

Where every suite at risk has a measured replacement that holds the gate, the level is one lower, `low` at least.
"""

from collections.abc import Iterable, Sequence

from tasks.records import Risk

RETIRED = -1
"""The notice level of a model that is gone: below every number of days that can be asked for."""

LEVELS: tuple[Risk, ...] = ("low", "medium", "high", "critical")


def notice_level(days_left: int, notice_days: Iterable[int]) -> int | None:
    """Find the tightest level that was reached: the smallest one not below the days left. None: not yet any."""
    return min((level for level in (*notice_days, RETIRED) if days_left <= level), default=None)


def risk_level(days_left: int | None, notice_days: Sequence[int], *, at_risk: bool, is_ready: bool) -> Risk:
    """The level, by the table above; `is_ready` says that each suite at risk has its replacement."""
    if not at_risk:
        return "none"
    if days_left is None:
        return "unknown"
    level = urgency(notice_level(days_left, notice_days), notice_days)
    return LEVELS[max(0, level - is_ready)]


def urgency(notice: int | None, notice_days: Sequence[int]) -> int:
    """The place in LEVELS that time alone asks for."""
    if notice is None:
        return 0
    if notice == RETIRED:
        return 3
    return 2 if notice == min(notice_days) else 1
