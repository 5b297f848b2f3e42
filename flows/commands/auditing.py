"""The commands on labels: sample and label."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from flows.answer import OK, Answered
from flows.commands.judges import judged_suites
from flows.judges import auditing
from flows.judges.correcting import correct_stored
from flows.planning.prepared import read_config
from flows.requests import Request
from flows.run import now
from flows.terminal.figures import plain
from flows.terminal.judges import corrected_rates, uncorrected, where_shown
from tasks.documents import ConfigFile
from tasks.documents.wording import brief, nearest, shown
from tasks.errors import UsageError
from tasks.judges.tonight import MIN_LABELS
from tasks.records import Cell, Correction
from tasks.storage import reads

SUFFIXES = (".csv", ".jsonl")


def sample(
    *, config: str, results: str | None, suites: tuple[str, ...], run_id: str | None, n: int, out: str | None
) -> Answered:
    """Draw outputs of a run for people to label."""
    file = read_config(Request(config=config, results=results))
    read = judged_suites(file, suites)
    cells = cells_to_sample(file, {suite.name for suite in read}, run_id)
    path = Path(out or f"judge-sample-{cells[0].run_id}.csv")
    refuse_target(path)
    rows = list(auditing.sample_rows(file.results, read, cells, n))
    if not rows:
        raise UsageError.single(f"no judge spoke of any answer in {cells[0].run_id}")
    path.write_text(auditing.as_file(rows, path.suffix), "utf-8", newline="")
    text = (
        f"{len(rows)} outputs of {cells[0].run_id} to label: {shown(path)}\n"
        "Write pass or fail into its column `verdict`, by the suite's rubric; from "
        f"{MIN_LABELS} per model on they correct this run.\n"
        f"Then `daybreak judge label {shown(path)} --annotator NAME`."
    )
    return Answered(exit_code=OK, data={"status": "ok", "rows": len(rows), "file": str(path)}, text=text)


def cells_to_sample(file: ConfigFile, suites: set[str], run_id: str | None) -> list[Cell]:
    """The judged cells of a run, by default of the newest that has any."""
    known = reads.run_ids(file.results)
    if run_id is not None and run_id not in known:
        raise UsageError.single(f"expected a run, got {brief(run_id)}", hint=nearest(run_id, known))
    for one in [run_id] if run_id else known:
        if cells := [cell for cell in reads.cells_of(file.results, one) if cell.suite in suites]:
            return cells
    raise UsageError.single(
        f"expected a run with judged suites in {file.results}, found none", hint="`daybreak nightly`"
    )


def refuse_target(path: Path) -> None:
    """Raise UsageError for a file of another kind, or one that is there: it may hold labels."""
    if path.suffix not in SUFFIXES:
        raise UsageError.single(f"expected a file that ends in {' or '.join(SUFFIXES)}, got {brief(str(path))}")
    if path.exists():
        raise UsageError.single("the file is there already, and may hold labels", where=shown(path), hint="--out")


def label(*, config: str, results: str | None, path: str, annotator: str) -> Answered:
    """Take the labels of a sample into the calibration files, and correct by them what they were drawn from."""
    refuse_annotator(annotator)
    file = read_config(Request(config=config, results=results))
    labels, left = auditing.read_sample(existing(Path(path)))
    suites = {suite.name: suite for suite in judged_suites(file, ())}
    for one in labels:
        if one.suite not in suites:
            raise UsageError.single(f"expected a judged suite, got {brief(one.suite)}", where=one.row.where)
    lines = {
        name: auditing.lines_for(file.results, suite, [one for one in labels if one.suite == name], annotator)
        for name, suite in suites.items()
    }
    for name, added in lines.items():
        if added:
            auditing.append_lines(suites[name], added)
    cells = sorted({(one.origin, one.suite, one.model) for one in labels})
    corrections = correct_stored(file.results, suites, cells, at=now())
    n_added = sum(map(len, lines.values()))
    data = {"status": "ok", "added": n_added, "left": left, "corrections": [asdict(one) for one in corrections]}
    return Answered(exit_code=OK, data=data, text=told(n_added, left, corrections))


def refuse_annotator(name: str) -> None:
    """Raise UsageError for a name that says nothing, or that no file can hold."""
    if not name.strip() or not name.isprintable():
        raise UsageError.single(f"expected the name of who labelled, got {brief(name)}", hint="--annotator")


def existing(path: Path) -> Path:
    """A file that can be read as a sample."""
    if not path.is_file():
        raise UsageError.single("no such file", where=shown(path), hint="`daybreak judge sample` draws one")
    if path.suffix not in SUFFIXES:
        raise UsageError.single(f"expected a sample that ends in {' or '.join(SUFFIXES)}, got {brief(str(path))}")
    return path


def told(added: int, left: int, corrections: Sequence[Correction]) -> str:
    """What became of the labels."""
    lines = [f"{added} labels were added to the calibration files."]
    if left:
        lines.append(
            f"{left} rows have no verdict yet: label all, or a random part, for what is left out must not be special."
        )
    lines += [plain(line) for line in (*corrected_rates(corrections), *uncorrected(corrections))]
    lines += where_shown(corrections)
    return "\n".join(
        [*lines, *(["`daybreak judge calibrate` takes them in, for the nights to come."] if added else [])]
    )
