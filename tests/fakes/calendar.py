"""A calendar that a test turns over: runs are planned, and baselines promoted, at two o'clock of its day."""

from datetime import UTC, datetime, timedelta

import pytest

USED_BY = ("flows.commands.evaluate", "flows.commands.baselines", "flows.commands.inspect", "flows.comparing.verdicts")
MONDAY = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


class Calendar:
    """Stands in for the clock of the commands; `turn` goes to the next day, or some days on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = MONDAY
        for module in USED_BY:
            monkeypatch.setattr(f"{module}.now", self.read)

    def read(self) -> datetime:
        """The time, which goes on by a minute whenever it is asked for."""
        self.now += timedelta(minutes=1)
        return self.now

    def turn(self, days: int = 1) -> None:
        """Go to two o'clock of a later day."""
        self.now = self.now.replace(hour=2, minute=0) + timedelta(days=days)
