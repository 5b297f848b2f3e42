"""Numbers as a reader sees them. Blanks within a figure do not break."""

from datetime import datetime, timedelta
from math import floor, log10

from tasks.records import GateResult

NBSP = "\N{NO-BREAK SPACE}"
UNKNOWN = "–"


def share(value: float | None) -> str:
    """A share in per cent."""
    return UNKNOWN if value is None else f"{100 * value:.1f}{NBSP}%"


def shares(low: float | None, high: float | None) -> str:
    """An interval of shares in per cent."""
    return UNKNOWN if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def index(value: float | None) -> str:
    """A figure between −1 and 1 as statisticians write it."""
    return UNKNOWN if value is None else f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def points(value: float | None) -> str:
    """Percentage points; a minus sign is a minus, and nothing is never negative."""
    return UNKNOWN if value is None else signed(value) + f"{NBSP}pp"


def points_interval(low: float | None, high: float | None) -> str:
    """An interval in percentage points."""
    return UNKNOWN if low is None or high is None else f"{signed(low)} to {signed(high)}"


def signed(value: float) -> str:
    """One digit after the point."""
    return f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")


def p_value(value: float | None) -> str:
    """A probability to two digits."""
    if value is None:
        return UNKNOWN
    return f"<{NBSP}0.0001" if value < 0.0001 else significant(value)


def usd(value: float | None) -> str:
    """US dollars; a price that is not known is never nothing."""
    if value is None:
        return "unknown"
    return f"${value:,.2f}" if value >= 1 else f"${significant(value)}"


def money_or_dash(value: float | None) -> str:
    """US dollars, where nothing was to be known."""
    return UNKNOWN if value is None else usd(value)


def change(value: float | None) -> str:
    """A share by which something rose or fell; what rounds to nothing has no sign."""
    return UNKNOWN if value is None else f"{round(100 * value):+}{NBSP}%".replace("+0", "0").replace("-", "−")


def whole(value: int | None) -> str:
    """A number of things that cannot be divided."""
    return UNKNOWN if value is None else f"{value:,}"


def significant(value: float) -> str:
    """A number of at most 1 to two digits, without an exponent."""
    if value <= 0 or value >= 1:
        return f"{value:.2g}"
    return f"{value:.{1 - floor(log10(value))}f}"


def milliseconds(value: float | None) -> str:
    """A duration of a call."""
    return UNKNOWN if value is None else f"{value:,.0f}{NBSP}ms"


def gate_value(gate: GateResult, value: float | None) -> str:
    """A gate's limit or figure, in the unit that its name says."""
    if value is None:
        return UNKNOWN
    for suffix, format in (
        (("rate", "coverage"), share),
        (("_pp",), points),
        (("_ms",), milliseconds),
        (("_usd",), usd),
    ):
        if gate.gate.endswith(suffix):
            return format(value)
    return f"{value:g}"


def moment(at: datetime | None) -> str:
    """A time to the second."""
    return UNKNOWN if at is None else f"{at:%Y-%m-%d %H:%M:%S}{NBSP}UTC"


def day(at: datetime) -> str:
    """The day of a time."""
    return f"{at:%Y-%m-%d}"


def duration(start: datetime, end: datetime | None) -> str:
    """How long something took, in its two largest units."""
    if end is None:
        return UNKNOWN
    seconds = round((end - start) / timedelta(seconds=1))
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours:
        return f"{hours}{NBSP}h {minutes}{NBSP}min"
    return f"{minutes}{NBSP}min {seconds}{NBSP}s" if minutes else f"{seconds}{NBSP}s"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number of things."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
