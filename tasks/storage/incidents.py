"""What alerts ask of the warehouse: incidents so far, and what a run and its cells looked like."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tasks.config import IncidentKind
from tasks.records import Comparison, IncidentEvent, Verdict
from tasks.storage import reads
from tasks.storage.sql_files import sql
from tasks.storage.warehouse import Warehouse

Place = tuple[str, str]


class NightlyRate(NamedTuple):
    """The pass rate of a cell in one night with its interval; None where nothing was measured."""

    started_at: datetime
    pass_rate: float | None
    ci_low: float | None
    ci_high: float | None


def incident_events(results: Path, *, but_not_of: str | None = None) -> list[IncidentEvent]:
    """Every step of every incident, oldest first; without those of one run."""
    rows = Warehouse(results).table(sql("select_incident_events"), {"but_not_of": but_not_of}).to_pylist()
    return [IncidentEvent(**{**row, "kind": IncidentKind(row["kind"])}) for row in rows]


def comparisons_of(results: Path, run_id: str) -> list[Comparison]:
    """The stored comparisons of a run."""
    rows = Warehouse(results).table(sql("select_comparisons"), {"run_id": run_id}).to_pylist()
    return [Comparison(**{**reads.as_fields(row), "verdict": Verdict(row["verdict"])}) for row in rows]


def out_of_budget(results: Path, run_id: str) -> frozenset[Place]:
    """The cells of a run in which calls were not sent for want of money."""
    return frozenset(
        (suite, model) for suite, model in Warehouse(results).query(sql("select_out_of_budget"), {"run_id": run_id})
    )


def trend(results: Path, suite: str, model: str, *, most: int) -> list[NightlyRate]:
    """The pass rates of a cell over the last nights, oldest first."""
    cell = {"suite": suite, "model": model, "most": most}
    return [NightlyRate(*row) for row in Warehouse(results).query(sql("select_trend"), cell)][::-1]
