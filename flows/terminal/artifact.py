"""The result of a run as Prefect's pages show it."""

from collections.abc import Sequence
from typing import Any

from flows.result import RunResult, headline
from flows.terminal.figures import excerpt, points, points_interval, share, usd
from tasks.records import Lifespan
from tasks.reports.cells import rate_of
from tasks.storage.reads import Version


def artifact_rows(result: RunResult) -> list[dict[str, Any]]:
    """A row per cell."""
    compared = {(comparison.suite, comparison.model): comparison for comparison in result.comparisons}
    rows = []
    for cell in result.cells:
        comparison = compared.get((cell.suite, cell.model))
        rows.append(
            {
                "suite": cell.suite,
                "model": f"{cell.model} (simulated)" if cell.simulated else cell.model,
                "verdict": comparison.verdict if comparison else "reference",
                "pass rate": share(rate_of(cell, comparison).value),
                "baseline": share(comparison.baseline_pass_rate) if comparison else "",
                "drop pp": points(comparison.drop_pp) if comparison else "",
                "95 % pp": points_interval(comparison.ci_low_pp, comparison.ci_high_pp) if comparison else "",
                "cases": f"{cell.n_measured}/{cell.n_cases}",
                "cost": usd(cell.cost_usd),
                "why": excerpt(comparison.cause) if comparison else "",
            }
        )
    return rows


def artifact_text(result: RunResult) -> str:
    """The heading of the table."""
    simulated = f" Simulated, not real models: {', '.join(result.simulated)}." if result.simulated else ""
    return f"{result.run_id}: {headline(result)}.{simulated}"


def retirement_rows(table: Sequence[Lifespan]) -> list[dict[str, Any]]:
    """A row per model and judge."""
    return [
        {
            "model": one.model,
            "retirement": one.when,
            "risk": one.risk,
            "source": one.source,
            "suites at risk": ", ".join(one.suites + one.judged_suites),
            "advice": " ".join(one.advice),
        }
        for one in table
    ]


def version_rows(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """A row per version that was served."""
    return [
        {
            "model": one.model,
            "served as": one.served_model,
            "fingerprint": one.system_fingerprint,
            "first seen": f"{one.first_seen:%Y-%m-%d}",
            "last seen": f"{one.last_seen:%Y-%m-%d}",
        }
        for one in versions
    ]
