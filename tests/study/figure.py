"""A line chart as SVG: the share of nights with an alarm by the size of the drop."""

from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 56, 620, 24, 304
COLOURS = ("#b45309", "#d97706", "#6b7280", "#1d4ed8")


def power_chart(curves: Mapping[str, Sequence[float]], drops_pp: Sequence[int]) -> str:
    """Draw one line per rule; `curves` holds shares, one per drop."""
    lines = [line(shares, drops_pp, colour) for shares, colour in zip(curves.values(), COLOURS, strict=True)]
    names = [
        f'<text x="{RIGHT - 130}" y="{BOTTOM - 80 + 18 * index}" fill="{colour}">{escaped(name)}</text>'
        for index, (name, colour) in enumerate(zip(curves, COLOURS, strict=True))
    ]
    middle = (LEFT + RIGHT) / 2
    frame = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" role="img"'
    label = "true drop in percentage points (100 cases, 15 % flaky)"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>',
        "<title>Share of nights with an alarm, by the true drop</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *grid(drops_pp),
        *lines,
        *names,
        f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{label}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def line(shares: Sequence[float], drops_pp: Sequence[int], colour: str) -> str:
    """One curve."""
    points = " ".join(
        f"{x_of(drop, drops_pp):.1f},{y_of(share):.1f}" for drop, share in zip(drops_pp, shares, strict=True)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>'


def grid(drops_pp: Sequence[int]) -> list[str]:
    """Axes with their labels."""
    rows = [
        f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y_of(share)}" y2="{y_of(share)}" stroke="#e5e7eb"/>'
        f'<text x="{LEFT - 8}" y="{y_of(share) + 4}" text-anchor="end">{100 * share:.0f} %</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    columns = [
        f'<text x="{x_of(drop, drops_pp):.1f}" y="{BOTTOM + 20}" text-anchor="middle">{drop}</text>'
        for drop in drops_pp
    ]
    return rows + columns


def x_of(drop: float, drops_pp: Sequence[int]) -> float:
    """Place a drop."""
    return LEFT + (RIGHT - LEFT) * (drop - drops_pp[0]) / (drops_pp[-1] - drops_pp[0])


def y_of(share: float) -> float:
    """Place a share."""
    return BOTTOM - (BOTTOM - TOP) * share


def escaped(text: str) -> str:
    """For XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
