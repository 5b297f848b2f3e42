"""Where things stand on a chart: shares of its width in per cent, so that it is drawn sharp at any size."""

from collections.abc import Iterable
from math import floor
from typing import NamedTuple


class Scale(NamedTuple):
    """The shares between which a chart draws."""

    low: float
    high: float

    def x(self, value: float) -> str:
        """Where a share stands; what lies outside stands at the edge."""
        place = (value - self.low) / (self.high - self.low)
        return f"{100 * min(1.0, max(0.0, place)):.2f}%"

    @property
    def ticks(self) -> list[float]:
        """Every ten per cent."""
        return [tenth / 10 for tenth in range(round(10 * self.low), round(10 * self.high) + 1)]


def rate_scale(rates: Iterable[float]) -> Scale:
    """One scale for all pass rates of a page: up to 100 %, from the ten per cent below the lowest of them."""
    lowest = min(rates, default=0.0)
    return Scale(min(0.9, max(0.0, floor(10 * lowest + 1e-9) / 10)), 1.0)
