"""What a message tells of an incident: everything that its layout needs."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from tasks.alerts.headlines import headline
from tasks.alerts.incidents import Change, Incident, Row
from tasks.alerts.inert import inert
from tasks.alerts.losses import Loss
from tasks.alerts.symptoms import Key
from tasks.alerts.wording import cell_name, counted, day, name
from tasks.config import IncidentKind

NOT_MEASURED = frozenset({IncidentKind.UNMEASURED, IncidentKind.BUDGET, IncidentKind.JUDGE})


MOST_COMMANDS = 2


class Link(NamedTuple):
    """Where to read on: a web address, or a path on the machine that ran."""

    label: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all stories of a run share.

    `owners` names who looks after a suite, as its file has it; `simulated` the models that only pretend.
    `candidate` are the options that ask for a comparison's candidate, `options` those that end every command.
    """

    run_id: str
    today: date
    losses: Mapping[Key, Loss]
    owners: Mapping[str, str]
    simulated: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    with_excerpts: bool = True
    candidate: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class Command(NamedTuple):
    """Something to do next, and the command that does it."""

    purpose: str
    command: str


@dataclass(frozen=True, slots=True)
class Story:
    """A change of an incident in the setting of its run."""

    change: Change
    setting: Setting

    @property
    def incident(self) -> Incident:
        return self.change.incident

    @property
    def headline(self) -> str:
        """The incident in one line."""
        incident = self.incident
        return headline(
            incident,
            "opened" if self.is_news_of_the_past else incident.ending if not incident.is_open else self.change.step,
            is_rehearsal=self.is_rehearsal,
            is_acknowledged=incident.is_open and incident.is_acknowledged(self.setting.today),
        )

    @property
    def is_rehearsal(self) -> bool:
        """True where nothing but simulated models is concerned."""
        models = {row.key.model for row in self.incident.rows}
        return bool(models) and models <= set(self.setting.simulated)

    @property
    def is_news_of_the_past(self) -> bool:
        """True for what was over when it was found."""
        return not self.incident.is_open and self.change.step == "opened"

    @property
    def simulated(self) -> tuple[str, ...]:
        """The simulated models that are concerned."""
        models = {row.key.model for row in self.incident.rows}
        return tuple(model for model in self.setting.simulated if model in models)

    @property
    def owners(self) -> tuple[str, ...]:
        """Who looks after the suites concerned."""
        found = (self.setting.owners.get(row.key.suite or "") for row in self.incident.open_rows)
        return tuple(dict.fromkeys(owner for owner in found if owner and owner.strip()))

    @property
    def since(self) -> str:
        """Since when, and for how many nights."""
        incident = self.incident
        nights = counted(incident.nights, "night", "nights")
        if self.is_news_of_the_past:
            return ""
        if not incident.is_open:
            first, last = day(incident.opened_at), day(incident.last_at)
            return f"On {first}." if first == last else f"From {first} to {last}: {nights}."
        until = incident.acknowledgement if incident.is_acknowledged(self.setting.today) else None
        known = "" if until is None else " Acknowledged" + (f" until {day(until.until)}." if until.until else ".")
        if self.change.step == "opened":
            return f"New on {day(incident.opened_at)}.{known}"
        return f"Since {day(incident.opened_at)}, {nights}.{known}"

    @property
    def commands(self) -> Iterator[Command]:
        """What can be done about it."""
        incident, rows = self.incident, self.incident.open_rows
        if not incident.is_open:
            return
        match incident.kind:
            case IncidentKind.REGRESSION:
                yield from self._commands_of_regression(rows)
            case kind if kind in NOT_MEASURED:
                yield Command("Measure again", f"daybreak nightly{cell_options(rows)}{self._options}")
            case _:
                pass
        if not incident.is_acknowledged(self.setting.today):
            yield Command("Acknowledge", f"daybreak alerts ack {incident.id}{self._options}")

    @property
    def _options(self) -> str:
        """What ends every command."""
        return "".join(f" {quoted(word)}" for word in self.setting.options)

    def _commands_of_regression(self, rows: tuple[Row, ...]) -> Iterator[Command]:
        """Promote what has a baseline of its own; else tell apart what it may come from, and ask again."""
        losses = [self.setting.losses[row.key].comparison for row in rows if row.key in self.setting.losses]
        if all(one.baseline_model in {None, one.model} for one in losses):
            yield Command(
                "Accept as baseline",
                f"daybreak baseline promote {self.setting.run_id}{cell_options(rows)}{self._options}",
            )
        for command in losses[0].commands[:MOST_COMMANDS] if losses else ():
            factor, _, line = command.partition(": ")
            yield Command(f"Is it the {inert(factor)}", inert(line))
        if len(rows) == 1:
            asked = self.setting.candidate or ("--candidate", rows[0].key.model)
            again = " ".join(map(quoted, (*asked, "--suite", rows[0].key.suite)))
            yield Command("Compare again", f"daybreak compare {again}{self._options}")


def cell_options(rows: tuple[Row, ...]) -> str:
    """Options that choose just the cells of some rows, where that can be said."""
    suites = list(dict.fromkeys(row.key.suite for row in rows if row.key.suite))
    models = list(dict.fromkeys(row.key.model for row in rows if row.key.model))
    if len(suites) * len(models) != len(rows) or len(rows) > 5:
        return ""
    return "".join([*(f" --suite {quoted(one)}" for one in suites), *(f" --model {quoted(one)}" for one in models)])


def quoted(text: str | None) -> str:
    """A name as a shell takes it."""
    return inert(shlex.quote(text or ""))


def row_name(key: Key) -> str:
    """What a row is about."""
    if key.suite and key.model:
        return cell_name(key.suite, key.model)
    return name(key.suite or key.model or "")
