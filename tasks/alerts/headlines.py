"""Incidents in one line that a phone shows whole."""

from collections.abc import Callable, Mapping, Sequence

from tasks.alerts.incidents import Incident, Row
from tasks.alerts.inert import escaped, shorten, units
from tasks.alerts.wording import GATE_VALUES, cell_name, counted, name, percent, points
from tasks.config import IncidentKind
from tasks.records import Comparison, Event, GateResult, IncidentStep, Lifespan

HEADLINE_UNITS = 100
"""What a phone shows without cutting."""

HEADER_UNITS = 150
"""Slack's own limit for a header."""

NAME_UNITS = 24
GATE_NAMES = {
    "min_pass_rate": "pass rate",
    "min_coverage": "coverage",
    "max_drop_pp": "drop",
    "p95_ms": "p95 latency",
    "max_cost_per_action_usd": "cost per action",
}
STATES: Mapping[IncidentStep, str] = {"worse": "Worse: ", "resolved": "Resolved: ", "closed": "Closed: "}

SEVERAL: Mapping[IncidentKind, Callable[[int], str]] = {
    IncidentKind.REGRESSION: lambda n: f"{counted(n, 'suite', 'suites')} got worse",
    IncidentKind.PASS_RATE: lambda n: f"{counted(n, 'suite', 'suites')} below the lowest pass rate",
    IncidentKind.UNMEASURED: lambda n: f"{counted(n, 'suite', 'suites')} unmeasured",
    IncidentKind.JUDGE: lambda n: f"{counted(n, 'suite', 'suites')} without a judge to trust",
    IncidentKind.BUDGET: lambda n: f"{counted(n, 'suite', 'suites')} unmeasured: the budget is spent",
    IncidentKind.LATENCY: lambda n: f"{counted(n, 'suite', 'suites')} too slow",
    IncidentKind.COST: lambda n: f"{counted(n, 'suite', 'suites')} too dear",
    IncidentKind.VERSION: lambda n: f"{counted(n, 'model', 'models')} served as another version",
    IncidentKind.PROMPT: lambda n: f"{counted(n, 'prompt', 'prompts')} sent otherwise than written",
    IncidentKind.RETIREMENT: lambda n: f"{counted(n, 'model', 'models')} near retirement",
    IncidentKind.NIGHT: lambda n: f"{counted(n, 'night', 'nights')} did not come to an end",
    IncidentKind.UNDELIVERED: lambda n: f"{counted(n, 'alert', 'alerts')} not delivered",
}


def headline(incident: Incident, step: IncidentStep, *, is_rehearsal: bool, is_acknowledged: bool) -> str:
    """An incident as it stands: how it changed, and what it is about."""
    state = "Acknowledged: " if is_acknowledged else STATES.get(step, "")
    prefix = f"{state}{'Rehearsal: ' if is_rehearsal else ''}"
    told = subject(incident.open_rows or incident.rows)
    return short_enough(prefix + told)


def subject(rows: Sequence[Row]) -> str:
    """What some rows of one kind are about: the only one by its name, several by their number."""
    if len(rows) == 1:
        return rows[0].last.headline
    several = SEVERAL[rows[0].key.kind](len(rows))
    models = {row.key.model for row in rows if row.key.suite}
    [model] = models if len(models) == 1 else [None]
    return f"{several} on {name(model, NAME_UNITS)}" if model else several


def short_enough(text: str) -> str:
    """Cut a text to what a phone shows, and to what Slack takes when it is escaped."""
    cuts = (shorten(text, limit) for limit in range(HEADLINE_UNITS, 0, -1))
    return next(cut for cut in cuts if units(escaped(cut)) <= HEADER_UNITS)


def of_regression(one: Comparison) -> str:
    """A cell that got worse."""
    return f"{cell_name(one.suite, one.model, NAME_UNITS)} lost {points(one.drop_pp)}"


def of_unmeasured(kind: IncidentKind, suite: str, model: str) -> str:
    """A cell that could not be measured."""
    why = {IncidentKind.BUDGET: ": the budget is spent", IncidentKind.JUDGE: ": its judge is not trusted"}
    return f"{cell_name(suite, model, NAME_UNITS)} unmeasured{why.get(kind, '')}"


def of_gate(gate: GateResult) -> str:
    """A gate that does not hold."""
    value = GATE_VALUES.get(gate.gate, percent)
    measured = f"{GATE_NAMES.get(gate.gate, gate.gate)} {'unknown' if gate.value is None else value(gate.value)}"
    return f"{cell_name(gate.suite, gate.model, NAME_UNITS)}: {measured}, limit {value(gate.limit_value)}"


def of_retirement(row: Lifespan) -> str:
    """A model that goes away."""
    return f"{name(row.model, NAME_UNITS)} {row.when}"


def of_event(event: Event) -> str:
    """Something that happened to a model."""
    of = f" of {name(event.suite, NAME_UNITS)}" if event.suite else ""
    return f"{name(event.model, NAME_UNITS)}: {event.kind.replace('_', ' ')}{of}"
