"""From the records of a run to what is wrong, well again or gone."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.alerts import headlines, wording
from tasks.alerts.symptoms import Findings, Key, Symptom
from tasks.config import IncidentKind
from tasks.records import Cell, Comparison, Event, GateResult, Lifespan, Verdict

Place = tuple[str, str]
"""A suite and a model."""

KIND_OF_GATE: Mapping[str, IncidentKind] = {
    "max_drop_pp": IncidentKind.REGRESSION,
    "min_pass_rate": IncidentKind.PASS_RATE,
    "min_coverage": IncidentKind.UNMEASURED,
    "p95_ms": IncidentKind.LATENCY,
    "max_cost_per_action_usd": IncidentKind.COST,
}
SCORED_ALIKE = frozenset({"dataset", "scorers", "judge"})
"""Differences of a comparison that explain no drop: both sides were brought to the same state."""

OF_A_SUITE, OF_ALL = frozenset({"prompt template"}), frozenset({"litellm version"})
"""Whom a difference concerns; all others are of a model."""

MORE_IS_BETTER = "min_"
NO_REGRESSION = frozenset({Verdict.UNCHANGED, Verdict.IMPROVED, Verdict.PINNED})
NOT_MEASURED = (IncidentKind.UNMEASURED, IncidentKind.BUDGET, IncidentKind.JUDGE)
OF_CELLS = frozenset({*KIND_OF_GATE.values(), *NOT_MEASURED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """The records of a run that alerts are about.

    `whole`: every suite ran on every model that there is. `out_of_budget` names cells that could not be measured
    for want of money; `news` is what was found elsewhere, `lifespans` None where retirements were not looked at.
    """

    run_id: str
    cells: Sequence[Cell] = ()
    comparisons: Sequence[Comparison] = ()
    gates: Sequence[GateResult] = ()
    lifespans: Sequence[Lifespan] | None = None
    whole: bool = False
    out_of_budget: Collection[Place] = ()
    events: Sequence[Event] = ()
    news: Sequence[Symptom] = ()


def findings_of(night: Night) -> Findings:
    """Everything that a run says of what it looked at."""
    wrong: dict[Key, Symptom] = {}
    rules = (worse_cells, unmeasured_cells, failed_gates, ends, noticed)
    for symptom in (*night.news, *(symptom for rule in rules for symptom in rule(night))):
        wrong.setdefault(symptom.key, symptom)

    def gone(key: Key) -> str | None:
        return reason_gone(key, night)

    return Findings(wrong=tuple(wrong.values()), well=dict(well_again(night)), gone=gone)


def worse_cells(night: Night) -> Iterator[Symptom]:
    """The cells that got worse."""
    for one in night.comparisons:
        if one.verdict is Verdict.REGRESSED:
            yield Symptom(
                key=Key(IncidentKind.REGRESSION, one.suite, one.model),
                headline=headlines.of_regression(one),
                line=wording.drop_line(one),
                level=one.drop_pp or 0,
                at_least=one.ci_low_pp,
                cause=shared_cause(one),
            )


def shared_cause(one: Comparison) -> str:
    """What other cells may have got worse by, too: the only thing that differs from the baseline, if there is one."""
    found = [factor for factor in one.differences if factor not in SCORED_ALIKE]
    return cause_in(found[0], one) if len(found) == 1 and one.baseline_model == one.model else ""


def cause_in(factor: str, one: Comparison) -> str:
    """A factor where it counts: of a suite, of a model, or of everything."""
    if factor in OF_ALL:
        return factor
    return f"{factor} of {one.suite}" if factor in OF_A_SUITE else f"{factor} of {one.model}"


def noticed(night: Night) -> Iterator[Symptom]:
    """What happened to models: it is told once, by itself or as the cause of something else."""
    for event in night.events:
        drifted = event.kind == "prompt_drifted"
        yield Symptom(
            key=Key(IncidentKind.PROMPT if drifted else IncidentKind.VERSION, event.suite, event.model),
            headline=headlines.of_event(event),
            line=wording.reason(event.text),
            cause="" if drifted else f"served model of {event.model}",
            past=True,
        )


def unmeasured_cells(night: Night) -> Iterator[Symptom]:
    """The cells that could not be measured: also those that others are compared with."""
    for (suite, model), reason in unmeasured_in(night.comparisons, night.cells).items():
        kind = kind_of_unmeasured(night, (suite, model), reason)
        yield Symptom(
            key=Key(kind, suite, model),
            headline=headlines.of_unmeasured(kind, suite, model),
            line=wording.reason(reason) or "no reason known",
            cause="budget" if kind is IncidentKind.BUDGET else "",
        )


def unmeasured_in(comparisons: Iterable[Comparison], cells: Iterable[Cell]) -> dict[Place, str]:
    """The reason for each cell without a result."""
    found = {(one.suite, one.model): one for one in comparisons}
    reasons = {place: one.cause for place, one in found.items() if one.verdict is Verdict.UNMEASURED}
    for cell in cells:
        if cell.verdict is Verdict.UNMEASURED and (cell.suite, cell.model) not in found:
            reasons[cell.suite, cell.model] = f"{cell.n_measured} of {cell.n_cases} cases were measured"
    return reasons


def kind_of_unmeasured(night: Night, place: Place, reason: str) -> IncidentKind:
    """Why a cell has no result, as far as there is a kind of incident for it."""
    if IncidentKind.JUDGE in reason:
        return IncidentKind.JUDGE
    return IncidentKind.BUDGET if place in night.out_of_budget else IncidentKind.UNMEASURED


def failed_gates(night: Night) -> Iterator[Symptom]:
    """The gates that do not hold."""
    for gate in night.gates:
        if gate.state == "failed":
            sign = -1 if gate.gate.startswith(MORE_IS_BETTER) else 1
            nearest = gate.ci_high if sign < 0 else gate.ci_low
            yield Symptom(
                key=Key(KIND_OF_GATE.get(gate.gate, IncidentKind.PASS_RATE), gate.suite, gate.model),
                headline=headlines.of_gate(gate),
                line=wording.gate_line(gate),
                level=sign * (gate.value or 0),
                at_least=None if nearest is None else sign * nearest,
            )


def ends(night: Night) -> Iterator[Symptom]:
    """The models and judges that reached a notice level before their end: each tighter level is worse."""
    for row in night.lifespans or ():
        if row.notice is not None:
            yield Symptom(
                key=Key(IncidentKind.RETIREMENT, None, row.model),
                headline=headlines.of_retirement(row),
                line=wording.retirement_line(row),
                level=-row.notice,
                at_least=-row.notice,
            )


def well_again(night: Night) -> Iterator[tuple[Key, str]]:
    """What was looked at and is in order."""
    yield Key(IncidentKind.NIGHT, None, None), "a night came to its end again"
    for one in night.comparisons:
        if one.verdict in NO_REGRESSION:
            yield Key(IncidentKind.REGRESSION, one.suite, one.model), wording.recovery_line(one)
    unmeasured = unmeasured_in(night.comparisons, night.cells)
    for cell in night.cells:
        if (cell.suite, cell.model) not in unmeasured:
            for kind in NOT_MEASURED:
                yield Key(kind, cell.suite, cell.model), wording.measured_line(cell)
    for gate in night.gates:
        if gate.state == "ok":
            key = Key(KIND_OF_GATE.get(gate.gate, IncidentKind.PASS_RATE), gate.suite, gate.model)
            yield key, wording.gate_line(gate)
    for row in night.lifespans or ():
        if row.notice is None and row.retires_on is not None:
            yield Key(IncidentKind.RETIREMENT, None, row.model), wording.retirement_line(row)


def reason_gone(key: Key, night: Night) -> str | None:
    """Why something will not be looked at any more; None where it may be."""
    if key.kind is IncidentKind.RETIREMENT:
        known = night.lifespans is None or key.model in {row.model for row in night.lifespans}
        return None if known else "no longer in the config"
    if key.kind not in OF_CELLS:
        return None
    cell = next((cell for cell in night.cells if (cell.suite, cell.model) == (key.suite, key.model)), None)
    if cell is None:
        return "no longer run" if night.whole else None
    if not cell.covered or key.kind in NOT_MEASURED:
        return None
    if key.kind is IncidentKind.REGRESSION:
        return None if place_in(night.comparisons, key) else "no longer compared"
    return None if any(is_gate_of(gate, key) for gate in night.gates) else "its gate is no longer set"


def place_in(comparisons: Iterable[Comparison], key: Key) -> bool:
    """True where a cell was compared."""
    return any((one.suite, one.model) == (key.suite, key.model) for one in comparisons)


def is_gate_of(gate: GateResult, key: Key) -> bool:
    """True for the gate that a key is about."""
    return (KIND_OF_GATE.get(gate.gate), gate.suite, gate.model) == key
