"""What is said of a run beside its verdicts, a sentence each."""

from collections.abc import Iterable, Iterator

from flows.judges.trust import partiality
from flows.run import OpenCase, Run
from tasks.records import Cell, Comparison, Verdict
from tasks.storage import reads

SHOWN_REASONS = 2
SHOWN_SHIFT_PP = 0.05
LONGEST_ERROR = 160


def notes_on(run: Run, cells: Iterable[Cell], comparisons: Iterable[Comparison]) -> list[str]:
    """Everything that there is to say."""
    return [
        *partial_judges(run),
        *unreliable(run),
        *asked_for_news(run),
        *gaps(run, cells),
        *shifting_nights(comparisons),
    ]


def partial_judges(run: Run) -> list[str]:
    """Which comparisons of two models rest on a judge that does not err alike on both."""
    pairs = [cell for cell in run.plan.cells if cell.baseline and cell.baseline.model != cell.model]
    suites = dict.fromkeys(cell.suite for cell in pairs)
    found = {name: partiality(run.standings_of(run.plan.suite_named(name))) for name in suites}
    return [f"{name}: {why}" for name, why in found.items() if why]


def unreliable(run: Run) -> list[str]:
    """Which latencies are partly our own, in a sentence; simulated ones say nothing anyway."""
    cells = [f"{suite} on {model}" for suite, model in sorted(run.unreliable_latency) if not is_simulated(run, model)]
    why = "latency not reliable, this machine was too busy while answers came"
    return [f"{why}: {', '.join(cells)}"] if cells else []


def asked_for_news(run: Run) -> list[str]:
    """Which cells were asked again although nothing was suspected, in a sentence."""
    opened = run.opened.items()
    cells = [f"{suite} on {model}" for (suite, model), case in opened if isinstance(case, OpenCase) and case.forced]
    why = "another version answers than for the baseline, so every case was asked again"
    return [f"{why}: {', '.join(cells)}"] if cells else []


def gaps(run: Run, cells: Iterable[Cell]) -> Iterator[str]:
    """Which cases are missing from cells that could be judged without them, and why."""
    for cell in cells:
        missing = cell.n_cases - cell.n_measured
        if missing and cell.verdict is not Verdict.UNMEASURED:
            why = reasons(run, cell.suite, cell.model)
            yield f"{cell.suite} on {cell.model}: {missing} of {cell.n_cases} cases not measured{why}"


def shifting_nights(comparisons: Iterable[Comparison]) -> list[str]:
    """Whose nights are known to differ where nothing changed, in a sentence."""
    shifts: dict[str, float] = {}
    for one in comparisons:
        shifts[one.model] = max(shifts.get(one.model, 0.0), one.night_sd_pp or 0.0)
    models = [f"{model} by up to {sd:.1f} pp" for model, sd in shifts.items() if sd >= SHOWN_SHIFT_PP]
    why = "nights differ (standard deviation) beyond run-to-run noise, which verdicts allow for"
    return [f"{why}: {', '.join(models)}"] if models else []


def is_simulated(run: Run, model: str) -> bool:
    """True for the rehearsal's models."""
    return run.model_named(model).is_rehearsal


def reasons(run: Run, suite: str, model: str) -> str:
    """Why trials of a cell could not be measured, the most frequent reasons first."""
    cell = (run.results, run.id, suite, model)
    found = reads.unmeasured_reasons(*cell, most=SHOWN_REASONS)
    error = reads.frequent_error(*cell)
    told = [f"{trials} × {reason}" for reason, trials in found] + ([f"mostly {one_line(error)}"] if error else [])
    return "".join(f"; {one}" for one in told)


def one_line(text: str) -> str:
    """What a provider wrote, shortened, without characters that steer a terminal."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST_ERROR else line[: LONGEST_ERROR - 1] + "…"
