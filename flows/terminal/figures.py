"""Numbers and excerpts as a terminal shows them."""

from os.path import commonprefix

EXCERPT = 100
KEPT_BEFORE = 30
UNKNOWN = "–"


def plain(value: object) -> str:
    """Text that cannot steer a terminal: control and direction characters are spelled out."""
    text = UNKNOWN if value is None else number(value) if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text)


def number(value: float) -> str:
    """A number that nobody has given a unit: four decimals, or four digits where that would leave nothing."""
    return (
        f"{value:.4g}" if 0 < abs(value) < 0.1 or abs(value) >= 1e15 else f"{value:.4f}".rstrip("0").removesuffix(".")
    )


def excerpt(value: str | None, limit: int = EXCERPT) -> str:
    """The beginning of an output on one line."""
    text = " ".join((value or "").split())
    return plain(text if len(text) <= limit else text[: limit - 1] + "…")


def side_by_side(before: str | None, now: str | None) -> tuple[str, str]:
    """Two outputs from shortly before they part, on one line each."""
    texts = [" ".join((text or "").split()) for text in (before, now)]
    common = len(commonprefix(texts))  # noqa: RUF071 (texts are meant, not paths)
    start = max(0, common - KEPT_BEFORE) if max(map(len, texts)) > EXCERPT else 0
    first, second = (("…" if start else "") + text[start:] for text in texts)
    return excerpt(first), excerpt(second)


def share(value: float | None) -> str:
    """A share as percent."""
    return UNKNOWN if value is None else f"{100 * value:.1f} %"


def shares(low: float | None, high: float | None) -> str:
    """An interval of shares in whole percent."""
    return "" if low is None or high is None else f"{100 * low:.0f}–{100 * high:.0f}"


def points(value: float | None) -> str:
    """Percentage points with their sign."""
    return "" if value is None else f"{value:+.1f}"


def points_interval(low: float | None, high: float | None) -> str:
    """Both ends, with signs."""
    return "" if low is None or high is None else f"{low:+.1f} to {high:+.1f}"


def usd(value: float | None) -> str:
    """Dollars, with the digits that small sums need."""
    return "unknown" if value is None else f"${value:.4f}" if value < 1 else f"${value:,.2f}"


def milliseconds(value: float | None) -> str:
    """A latency."""
    return UNKNOWN if value is None else f"{value:.0f} ms"
