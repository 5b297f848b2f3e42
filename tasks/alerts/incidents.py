"""The life of incidents: from what is known of them and what a run found to what happens to them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from tasks.alerts.symptoms import Findings, Key, Symptom
from tasks.config import IncidentKind
from tasks.records import IncidentEvent, IncidentStep

OVER = frozenset({"resolved", "closed"})
MOST_OPENED = 3
"""Incidents of one kind that open in one run; if there were more, they are one."""

CAUSES = frozenset({IncidentKind.VERSION, IncidentKind.PROMPT})
"""What is told as the cause of another incident instead of by itself, where it is one."""

BY_MODEL = frozenset(
    {
        IncidentKind.REGRESSION,
        IncidentKind.PASS_RATE,
        IncidentKind.UNMEASURED,
        IncidentKind.JUDGE,
        IncidentKind.LATENCY,
        IncidentKind.COST,
        IncidentKind.PROMPT,
    }
)
"""Kinds of which several suites of one model that begin in the same run are taken for one."""


@dataclass(frozen=True, slots=True)
class Row:
    """What happened to one thing that is wrong, oldest first."""

    key: Key
    events: tuple[IncidentEvent, ...]

    @property
    def is_open(self) -> bool:
        return self.last.step not in OVER

    @property
    def last(self) -> IncidentEvent:
        return self.events[-1]

    @property
    def told(self) -> IncidentEvent:
        """The last step that said how bad it is."""
        return next(event for event in reversed(self.events) if event.step in {"opened", "worse"})


@dataclass(frozen=True, slots=True)
class Incident:
    """Everything that happened to one incident, oldest first."""

    id: str
    events: tuple[IncidentEvent, ...]

    @property
    def kind(self) -> IncidentKind:
        return self.events[0].kind

    @property
    def opened_at(self) -> datetime:
        return self.events[0].recorded_at

    @property
    def last_at(self) -> datetime:
        return self.events[-1].recorded_at

    @property
    def rows(self) -> tuple[Row, ...]:
        """Its rows in the order in which they opened."""
        found: dict[Key, list[IncidentEvent]] = {}
        for event in self.events:
            if event.step != "acknowledged":
                found.setdefault(key_of(event), []).append(event)
        return tuple(Row(key, tuple(events)) for key, events in found.items())

    @property
    def open_rows(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.is_open)

    @property
    def is_open(self) -> bool:
        return any(row.is_open for row in self.rows)

    @property
    def ending(self) -> IncidentStep:
        """How it ended: resolved where any row of it was."""
        return "resolved" if any(row.last.step == "resolved" for row in self.rows) else "closed"

    @property
    def nights(self) -> int:
        """Nights in which it was open; a watch is none."""
        seen = {event.run_id for event in self.events if event.run_id and event.step not in OVER}
        return sum(run_id.startswith("run-") for run_id in seen)

    @property
    def acknowledgement(self) -> IncidentEvent | None:
        """The last one."""
        return next((event for event in reversed(self.events) if event.step == "acknowledged"), None)

    def is_acknowledged(self, today: date) -> bool:
        """True until the day of its acknowledgement is over."""
        given = self.acknowledgement
        return given is not None and (given.until is None or given.until >= today)


class Change(NamedTuple):
    """What a run did to an incident: `incident` as it is now, `events` those of this run."""

    incident: Incident
    step: IncidentStep
    events: tuple[IncidentEvent, ...]


def incidents_of(events: Iterable[IncidentEvent]) -> tuple[Incident, ...]:
    """Put stored events together, in any order; the oldest incident comes first."""
    found: dict[str, list[IncidentEvent]] = {}
    for event in sorted(events, key=lambda event: event.recorded_at):
        found.setdefault(event.incident_id, []).append(event)
    return tuple(Incident(id, tuple(of_one)) for id, of_one in found.items())


def key_of(event: IncidentEvent) -> Key:
    """What an event is about."""
    return Key(event.kind, event.suite, event.model)


def changes(known: Iterable[Incident], findings: Findings, *, run_id: str, at: datetime) -> tuple[Change, ...]:
    """Say what a run does to incidents: to those that are open first, then those that it opens.

    The same inputs give the same ids and events, so that a run that is repeated tells nothing twice.
    """
    still_open = [incident for incident in known if incident.is_open]
    wrong = {symptom.key: symptom for symptom in findings.wrong}
    told = {row.key for incident in still_open for row in incident.open_rows}
    joined: dict[str, list[Symptom]] = {}
    begun = [symptom for key, symptom in wrong.items() if key not in told and not is_told_as_cause(symptom, findings)]
    apart: list[Symptom] = []
    for symptom in begun:
        home = next((one for one in still_open if shares_cause(one, symptom)), None)
        (joined.setdefault(home.id, []) if home else apart).append(symptom)
    clock = Clock(run_id, at)
    found = [
        change_of(incident, [*go_on(incident, wrong, findings, clock), *open_rows(incident.id, joined, clock)])
        for incident in still_open
    ]
    for group in groups(apart):
        incident_id = new_id(run_id, group[0].key)
        found.append(change_of(Incident(incident_id, ()), list(open_rows(incident_id, {incident_id: group}, clock))))
    return tuple(change for change in found if change.events)


class Clock:
    """Gives each event of a run a time of its own, so that their order is known."""

    def __init__(self, run_id: str, at: datetime) -> None:
        self._run_id, self._at = run_id, at

    def event(self, incident_id: str, step: IncidentStep, symptom: Symptom) -> IncidentEvent:
        """Write a step of a symptom down."""
        self._at += timedelta(microseconds=1)
        return IncidentEvent(
            incident_id=incident_id,
            step=step,
            kind=symptom.key.kind,
            suite=symptom.key.suite,
            model=symptom.key.model,
            recorded_at=self._at,
            run_id=self._run_id,
            level=symptom.level,
            headline=symptom.headline,
            line=symptom.line,
            cause=symptom.cause,
        )


def go_on(
    incident: Incident, wrong: Mapping[Key, Symptom], findings: Findings, clock: Clock
) -> Iterator[IncidentEvent]:
    """What a run says of the open rows of an incident; nothing of those that it did not look at."""
    for row in incident.open_rows:
        if symptom := wrong.get(row.key):
            yield clock.event(incident.id, "worse" if is_worse(symptom, row.told) else "ongoing", symptom)
            if symptom.past:
                yield clock.event(incident.id, "resolved", symptom)
        elif (line := findings.well.get(row.key)) is not None:
            yield clock.event(incident.id, "resolved", as_it_was(row, line))
        elif (line := findings.gone(row.key)) is not None:
            yield clock.event(incident.id, "closed", as_it_was(row, line))


def as_it_was(row: Row, line: str) -> Symptom:
    """The end of a row: its last headline, and why it is over."""
    last = row.last
    return Symptom(key=row.key, headline=last.headline, line=line, level=last.level, cause=last.cause)


def open_rows(incident_id: str, joined: Mapping[str, Sequence[Symptom]], clock: Clock) -> Iterator[IncidentEvent]:
    """The rows that begin in this run; news of the past is over at once."""
    for symptom in joined.get(incident_id, ()):
        yield clock.event(incident_id, "opened", symptom)
        if symptom.past:
            yield clock.event(incident_id, "resolved", symptom)


def change_of(incident: Incident, events: Sequence[IncidentEvent]) -> Change:
    """An incident after a run, and what that run did to it as a whole."""
    after = Incident(incident.id, (*incident.events, *events))
    steps = {event.step for event in events}
    step: IncidentStep = "ongoing"
    if not incident.events:
        step = "opened"
    elif not after.is_open:
        step = after.ending
    elif steps & {"opened", "worse"}:
        step = "worse"
    return Change(after, step, tuple(events))


def is_worse(symptom: Symptom, told: IncidentEvent) -> bool:
    """True where it is for sure worse than was told last; a version that moved again is."""
    if symptom.key.kind is IncidentKind.VERSION and symptom.cause != told.cause:
        return True
    return symptom.at_least is not None and symptom.at_least > told.level


def is_told_as_cause(symptom: Symptom, findings: Findings) -> bool:
    """True for a cause of something else that is wrong."""
    if symptom.key.kind not in CAUSES or not symptom.cause:
        return False
    return any(other.cause == symptom.cause and other.key.kind not in CAUSES for other in findings.wrong)


def shares_cause(incident: Incident, symptom: Symptom) -> bool:
    """True where an open incident is known to have the cause of a symptom."""
    if not symptom.cause or incident.kind is not symptom.key.kind:
        return False
    return any(row.last.cause == symptom.cause for row in incident.open_rows)


def groups(begun: Sequence[Symptom]) -> Iterator[tuple[Symptom, ...]]:
    """Put together what begins in one run and belongs together; the worst of a group comes first."""
    found: dict[tuple[IncidentKind, str], list[Symptom]] = {}
    for symptom in begun:
        found.setdefault((symptom.key.kind, common_part(symptom)), []).append(symptom)
    number = {kind: sum(of is kind for of, _ in found) for kind, _ in found}
    merged: dict[tuple[IncidentKind, str], list[Symptom]] = {}
    for (kind, common), group in found.items():
        merged.setdefault((kind, "" if number[kind] > MOST_OPENED else common), []).extend(group)
    for group in merged.values():
        yield tuple(sorted(group, key=lambda one: (-one.level, one.key.suite or "", one.key.model or "")))


def common_part(symptom: Symptom) -> str:
    """What symptoms of one kind share where they are one incident."""
    key = symptom.key
    if symptom.cause or key.kind in BY_MODEL:
        return symptom.cause or f"model {key.model}"
    return f"{key.suite} on {key.model}"


def new_id(run_id: str, key: Key) -> str:
    """A short id that depends on the run that opens an incident and on its first row."""
    name = "\n".join([run_id, key.kind, key.suite or "", key.model or ""])
    return f"inc-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
