"""The commands on baselines: list and promote."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from flows.answer import OK, Answered
from flows.planning.history import pinned_baseline, read_history
from flows.planning.prepared import read_config
from flows.requests import Request
from flows.run import now
from flows.terminal.figures import share
from flows.terminal.tables import table
from tasks.config import Config
from tasks.documents import ConfigFile
from tasks.errors import Problem, UsageError
from tasks.plan import Baseline
from tasks.records import Cell, Pin
from tasks.storage import reads
from tasks.storage.parts import write_part
from tasks.storage.warehouse import Warehouse

PROMOTED = """
A run that is promoted was chosen by its result, so its trials only stand in: the next night asks every case as often as
a baseline needs, and those trials take their place."""


def results_of(config: str, results: str | None) -> Path:
    """The results folder that a config, or the command line, names."""
    return config_of(config, results).results


def config_of(config: str, results: str | None) -> ConfigFile:
    """The config; raises UsageError where it names no folder for results, whatever else is wrong with it."""
    file = read_config(Request(config=config, results=results))
    wrong = [one for one in file.problems if one.where == "--results" or one.message.startswith("results: ")]
    if wrong:
        raise UsageError(wrong)
    return file


def show(*, config: str, results: str | None) -> Answered:
    """List what each cell is compared with."""
    file = config_of(config, results)
    beside = dict(compared_in_run(file.config, reads.models_of_runs(file.results)))
    listed = {pin: made for pin, made in baselines_by_now(file.results) if (pin.suite, pin.model) not in beside}
    rows = [
        [pin.suite, pin.model, pin.run_id, f"{pin.pinned_at:%Y-%m-%d %H:%M} UTC", pin.pinned_by, trials_of(made)]
        for pin, made in listed.items()
    ]
    rows += [[*cell, f"compared with {reference} in the same run", "", "", ""] for cell, reference in beside.items()]
    columns = ["suite", "model", "run", "pinned at", "by", "its trials"]
    text = table(columns, sorted(rows)) if rows else "Nothing is pinned yet."
    compared = [{"suite": suite, "model": model, "compare_to": other} for (suite, model), other in beside.items()]
    data = {
        "status": "ok",
        "baselines": [
            {**asdict(pin), "nights": made.nights, "provisional": made.provisional} for pin, made in listed.items()
        ],
        "compared_in_the_same_run": compared,
    }
    return Answered(exit_code=OK, data=data, text=text)


def baselines_by_now(results: Path) -> Iterator[tuple[Pin, Baseline]]:
    """Every pin with the nights that make up the baseline today."""
    history, today = read_history(results), now().date()
    for key, pin in sorted(history.pins.items()):
        if made := pinned_baseline(history, key, today):
            yield pin, made


def trials_of(baseline: Baseline) -> str:
    """Which nights they are from, in words."""
    if baseline.provisional:
        return "stand in until the next night"
    nights = len(baseline.nights)
    return "of 1 night" if nights == 1 else f"of {nights} nights"


def compared_in_run(
    config: Config, models_of_runs: Mapping[tuple[str, str], Sequence[str]]
) -> Iterator[tuple[tuple[str, str], str]]:
    """The cells (suite, model) that are compared with another model of the same run, whatever is pinned, and that."""
    compare_to = {model.name: model.compare_to for model in config.models if model.compare_to}
    stored = {(suite, model) for (_, suite), models in models_of_runs.items() for model in models}
    for suite, model in sorted(stored):
        if (suite, compare_to.get(model)) in stored:
            yield (suite, model), str(compare_to[model])


def promote(
    *, config: str, results: str | None, run_id: str, suites: tuple[str, ...], models: tuple[str, ...]
) -> Answered:
    """Make cells of a stored run the baselines from now on."""
    file = config_of(config, results)
    folder = file.results
    beside = dict(compared_in_run(file.config, reads.models_of_runs(folder)))
    cells = with_baseline(chosen_cells(folder, run_id, suites, models), beside, are_named=bool(models))
    refuse_unknown(cells, file.config)
    refuse_unmeasured(cells)
    moment = now()
    pins = [
        Pin(suite=cell.suite, model=cell.model, run_id=run_id, pinned_at=moment, pinned_by="promoted") for cell in cells
    ]
    write_part(folder, "pins", f"promote-{moment:%Y%m%d-%H%M%S-%f}", pins)
    Warehouse(folder).ingest()
    rows = [[cell.suite, cell.model, share(cell.pass_rate)] for cell in cells]
    text = f"Baselines from now on, of {run_id}:\n" + table(["suite", "model", "pass rate"], rows) + PROMOTED
    return Answered(exit_code=OK, data={"status": "ok", "promoted": [asdict(pin) for pin in pins]}, text=text)


def chosen_cells(folder: Path, run_id: str, suites: tuple[str, ...], models: tuple[str, ...]) -> list[Cell]:
    """The cells of a run that are named, or all; raises UsageError when there are none."""
    stored = reads.cells_of(folder, run_id)
    cells = [cell for cell in stored if (not suites or cell.suite in suites) and (not models or cell.model in models)]
    if not cells:
        held = ", ".join(f"{cell.suite} on {cell.model}" for cell in stored) or "no finished cell"
        raise UsageError.single(
            f"expected cells of {run_id} to promote, found none; it holds {held}", hint="`daybreak runs`"
        )
    return cells


def with_baseline(cells: Sequence[Cell], beside: Mapping[tuple[str, str], str], *, are_named: bool) -> list[Cell]:
    """Those cells that have a baseline: not what is compared `beside` another model of its run.

    Raises UsageError where the others are named, or all.
    """
    others = [cell for cell in cells if (cell.suite, cell.model) in beside]
    if others and (are_named or len(others) == len(cells)):
        raise UsageError(
            Problem(
                "",
                f"{cell.suite} on {cell.model} is compared with {beside[cell.suite, cell.model]} in the same run",
                "it has no baseline to promote; take `compare_to` out of the config to give it one",
            )
            for cell in others
        )
    return [cell for cell in cells if cell not in others]


def refuse_unknown(cells: Sequence[Cell], config: Config) -> None:
    """Raise UsageError for cells of models that no night asks, such as one with another prompt that `compare` tried."""
    unknown = [cell for cell in cells if config.model_named(cell.model) is None]
    if unknown:
        raise UsageError(
            Problem(
                "",
                f"{cell.suite} on {cell.model}: the config has no model of that name, so no night would be compared "
                "with it",
                "choose others with --model; a prompt goes into the suite, parameters and address into the config, and "
                "the night after that is promoted",
            )
            for cell in unknown
        )


def refuse_unmeasured(cells: Sequence[Cell]) -> None:
    """Raise UsageError for cells of which too little was measured."""
    unmeasured = [cell for cell in cells if not cell.covered]
    if unmeasured:
        raise UsageError(
            Problem(
                "",
                f"{cell.suite} on {cell.model}: {cell.n_measured} of {cell.n_cases} cases were measured in "
                f"{cell.run_id}",
                "run them again, or choose others with --suite and --model; an untrusted judge measures nothing",
            )
            for cell in unmeasured
        )
