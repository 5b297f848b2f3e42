"""Go on with a run that did not come to its end, by its stored plan."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from flows.planning.cells import effective
from flows.run_folder import is_alive
from tasks.documents import ConfigFile, open_config
from tasks.errors import UsageError
from tasks.plan import Plan, RunFolder
from tasks.records import Suite
from tasks.storage import reads
from tasks.storage.warehouse import Warehouse

LATEST = "latest"


def folder_to_resume(results: Path, run_id: str) -> RunFolder:
    """Find the run to go on with; raises UsageError where it is unknown, finished or still alive."""
    Warehouse(results).catch_up()
    finished = {run.run_id for run in reads.runs_newest_first(results) if run.status == "finished"}
    stored = sorted(path.parent.name for path in (results / "runs").glob("run-*/plan.json"))
    unfinished = [one for one in stored if one not in finished and asks_cases(RunFolder(results, one))]
    if run_id in finished:
        raise UsageError.single(f"{run_id} is finished: nothing is left to do")
    if run_id == LATEST and not unfinished:
        raise UsageError.single("--resume latest: every run came to its end, so there is none to go on with")
    if run_id not in {LATEST, *unfinished}:
        hint = f"unfinished is {', '.join(unfinished[-3:])}" if unfinished else "no run is unfinished"
        raise UsageError.single(f"expected a run to go on with, got {run_id!r}", hint=hint)
    folder = RunFolder(results, unfinished[-1] if run_id == LATEST else run_id)
    if is_alive(folder):
        raise UsageError.single(f"{folder.run_id} is still alive: another process is at it")
    return folder.next_attempt()


def asks_cases(folder: RunFolder) -> bool:
    """False for a watch or a calibration, which are started anew instead."""
    try:
        return Plan.from_json(folder.plan.read_bytes()).flow in {"nightly", "compare"}
    except ValueError:
        return True  # what is wrong with it is told when it is chosen


def stored_plan(folder: RunFolder, file: ConfigFile) -> tuple[ConfigFile, Plan]:
    """The config and plan that a run started with; keys and other secrets are those of today's environment.

    Raises UsageError for a comparison whose candidate was given secrets, which are not stored.
    """
    plan = Plan.from_json(folder.plan.read_bytes())
    if withheld := sorted({name for cell in plan.cells for name in cell.withheld}):
        message = f"{plan.run_id} was asked with {', '.join(withheld)}, which may be secret and was not stored"
        raise UsageError.single(message, hint="start the comparison anew")
    stored = open_config(folder.config, env=file.env, results=file.results)
    if stored.problems:
        raise UsageError(stored.problems)
    models = {model.name: model for model in stored.config.models}
    cells = tuple(
        replace(cell, params=effective(models[cell.model], plan.suite_named(cell.suite), cell.overrides))
        for cell in plan.cells
    )
    config = stored.config.model_copy(update={"workers": file.config.workers})  # how it runs, not what
    stored = replace(stored, config=config, path=file.path, lines={}, root=plan.root, datasets=file.datasets)
    return stored, replace(plan, cells=cells)


def changes_since(plan: Plan, file: ConfigFile, suites: Sequence[Suite]) -> Iterator[str]:
    """What was edited since a run started, and does not count for it."""
    changed = sorted(key for key in {*plan.config, *file.raw} if plan.config.get(key) != file.raw.get(key))
    if changed and changed != ["workers"]:
        yield f"the config was edited since ({', '.join(changed)}); the run goes on by the one it started with"
    now = {suite.name: suite for suite in suites}
    for suite in plan.suites:
        today = now.get(suite.name)
        hashes = ("dataset_hash", "prompt_hash", "scorers_hash")
        edited = today is None or any(getattr(today, name) != getattr(suite, name) for name in hashes)
        if edited:
            yield f"suite {suite.name} was edited since; the run goes on by what it started with"
