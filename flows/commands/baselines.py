"""The commands on baselines: list and promote."""

from dataclasses import asdict
from pathlib import Path

from flows.answer import OK, Answered
from flows.prepared import read_config
from flows.requests import Request
from flows.run import now
from flows.terminal.tables import share, table
from tasks.errors import Problem, UsageError
from tasks.records import Cell, Pin
from tasks.storage import reads
from tasks.storage.parts import write_part
from tasks.storage.warehouse import Warehouse


def results_of(config: str, results: str | None) -> Path:
    """The results folder that a config, or the command line, names."""
    return read_config(Request(config=config, results=results)).results


def show(*, config: str, results: str | None) -> Answered:
    """List what each cell is compared with."""
    pins = reads.pins(results_of(config, results))
    rows = [[pin.suite, pin.model, pin.run_id, f"{pin.pinned_at:%Y-%m-%d %H:%M} UTC", pin.pinned_by] for pin in pins]
    text = table(["suite", "model", "run", "pinned at", "by"], rows) if rows else "Nothing is pinned yet."
    return Answered(exit_code=OK, data={"status": "ok", "baselines": [asdict(pin) for pin in pins]}, text=text)


def promote(
    *, config: str, results: str | None, run_id: str, suites: tuple[str, ...], models: tuple[str, ...]
) -> Answered:
    """Make cells of a stored run the baselines from now on."""
    folder = results_of(config, results)
    cells = chosen_cells(folder, run_id, suites, models)
    moment = now()
    pins = [
        Pin(suite=cell.suite, model=cell.model, run_id=run_id, pinned_at=moment, pinned_by="promoted") for cell in cells
    ]
    write_part(folder, "pins", f"promote-{moment:%Y%m%d-%H%M%S-%f}", pins)
    Warehouse(folder).ingest()
    rows = [[cell.suite, cell.model, share(cell.pass_rate)] for cell in cells]
    text = f"Baselines from now on, of {run_id}:\n" + table(["suite", "model", "pass rate"], rows)
    return Answered(exit_code=OK, data={"status": "ok", "promoted": [asdict(pin) for pin in pins]}, text=text)


def chosen_cells(folder: Path, run_id: str, suites: tuple[str, ...], models: tuple[str, ...]) -> list[Cell]:
    """The cells to promote; raises UsageError when there are none, or one was not measured."""
    stored = reads.cells_of(folder, run_id)
    cells = [cell for cell in stored if (not suites or cell.suite in suites) and (not models or cell.model in models)]
    if not cells:
        held = ", ".join(f"{cell.suite} on {cell.model}" for cell in stored) or "no finished cell"
        raise UsageError.single(
            f"expected cells of {run_id} to promote, found none; it holds {held}", hint="`daybreak runs`"
        )
    unmeasured = [cell for cell in cells if not cell.covered]
    if unmeasured:
        raise UsageError(
            Problem(
                "",
                f"{cell.suite} on {cell.model}: {cell.n_measured} of {cell.n_cases} cases were measured in {run_id}",
                "run them again, or choose others with --suite and --model",
            )
            for cell in unmeasured
        )
    return cells
