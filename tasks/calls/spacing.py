"""Starts spaced evenly at a rate: one number says when the next may be.

The virtual scheduling form of the generic cell rate algorithm, ITU-T I.371. What is shared between processes is that
number alone.
"""

import math

from tasks.calls.ledger import Cell

CATCH_UP_S = 0.05
"""How much of a delay of our own may be made up by starting closer together."""


class Spacing:
    """At most `per_second` of something (requests or tokens) on a clock in seconds."""

    def __init__(self, next_at: Cell, per_second: float = math.inf) -> None:
        self.per_second = per_second
        self._next_at = next_at

    def ready_in_s(self, now: float) -> float:
        """How long until the next may start."""
        return 0.0 if self.per_second == math.inf else max(0.0, self._next_at.value - now)

    def take(self, now: float, amount: float = 1) -> None:
        """Start one that counts as `amount`."""
        if self.per_second != math.inf:
            self._next_at.value = max(self._next_at.value, now - CATCH_UP_S) + amount / self.per_second

    def not_before(self, at: float) -> None:
        """Start the next at that time at the earliest, and make up for none of the wait."""
        self._next_at.value = max(self._next_at.value, at + CATCH_UP_S)

    def settle(self, difference: float) -> None:
        """Correct what was taken by what it came to."""
        if self.per_second != math.inf:
            self._next_at.value += difference / self.per_second
