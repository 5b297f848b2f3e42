"""What a run found, and what that means for its exit code and its name in Prefect."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from flows.answer import INTERRUPTED, OK, REGRESSED, UNMEASURED
from tasks.records import (
    Calibration,
    Cell,
    Comparison,
    Correction,
    Event,
    Flip,
    GateResult,
    Lifespan,
    Pin,
    RunStatus,
    Verdict,
)
from tasks.reports.page import SliceRate


class Told(NamedTuple):
    """What became of a run's alert: `message` where it is for the terminal, with why, and what Slack has not got."""

    message: str | None = None
    why_printed: str = ""
    undelivered: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the page says of alerts that were not delivered."""
        return tuple(f"an alert was not delivered to Slack: {one}" for one in self.undelivered)


NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Everything that is shown of a finished run; `options` end the commands that go on with it."""

    run_id: str
    flow: str
    status: RunStatus
    calls: int
    cost_usd: float | None
    costs: Mapping[str, float | None] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    gates: tuple[GateResult, ...] = ()
    flips: tuple[Flip, ...] = ()
    pins: tuple[Pin, ...] = ()
    slices: tuple[SliceRate, ...] = ()
    corrections: tuple[Correction, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    trends: tuple[str, ...] = ()
    lifespans: tuple[Lifespan, ...] = ()
    events: tuple[Event, ...] = ()
    uncalibrated: tuple[str, ...] = ()
    simulated_judges: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    report: Path | None = None
    told: Told = NOTHING_TOLD
    options: tuple[str, ...] = ()

    @property
    def simulated(self) -> tuple[str, ...]:
        """The models and judges whose answers were made up by the rehearsal provider."""
        return tuple(dict.fromkeys([*(cell.model for cell in self.cells if cell.simulated), *self.simulated_judges]))


def exit_code(result: RunResult) -> int:
    """130 interrupted, 1 regression or failed gate, 3 unmeasured or undelivered, else 0; the first that holds."""
    verdicts = {comparison.verdict for comparison in result.comparisons}
    if result.status == "interrupted":
        return INTERRUPTED
    if Verdict.REGRESSED in verdicts or any(gate.state == "failed" for gate in result.gates):
        return REGRESSED
    return UNMEASURED if Verdict.UNMEASURED in verdicts or result.told.undelivered else OK


def headline(result: RunResult) -> str:
    """The run in a few words, as its state is called in Prefect."""
    if result.status == "interrupted":
        return "Interrupted"
    count = dict.fromkeys(Verdict, 0) | {"gate": 0}
    for comparison in result.comparisons:
        count[comparison.verdict] += 1
    failed = sum(gate.state == "failed" for gate in result.gates)
    parts = [f"{count[verdict]} {verdict}" for verdict in (Verdict.REGRESSED, Verdict.UNMEASURED) if count[verdict]]
    parts += [f"{failed} gate{'s' * (failed > 1)} failed"] if failed else []
    return ", ".join(parts).capitalize() or "Nothing regressed"
