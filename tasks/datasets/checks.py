"""What must hold between a suite, its cases and the models."""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tasks.config import JudgeScorer, ModelConfig, RegexScorer, ScorerConfig, SuiteConfig
from tasks.datasets.cases import DEFAULT_KIND, Mistake, read_cases
from tasks.datasets.content import DatasetHash
from tasks.datasets.problems import Problems
from tasks.datasets.rows import FIELDS
from tasks.datasets.sources import rows_of
from tasks.datasets.templates import Renderer
from tasks.documents.time_limit import time_limit
from tasks.documents.wording import brief, nearest
from tasks.errors import UsageError
from tasks.records import Case

CheckCase = Callable[[ScorerConfig, Case, Mapping[str, str]], str | None]
"""What a scorer misses in a case, in words, given the suite's files."""


CASE_S = 5
"""Seconds in which a case is checked, which takes a fraction of a millisecond."""


@dataclass(slots=True)
class Facts:
    """What one pass over the cases finds out. `ids` are 64-bit hashes: 8 bytes instead of a text for each case.

    `kinds` and `tags` count sound cases, `named_kinds` are those of all; not all are known where a source could not be
    read, or a field may be a misspelt `kind`.
    """

    dataset: DatasetHash = field(default_factory=DatasetHash)
    kinds: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    named_kinds: set[str] = field(default_factory=set)
    kinds_are_known: bool = True
    ids: "array[int]" = field(default_factory=lambda: array("q"))

    def note(self, fields: Mapping[str, Any]) -> None:
        """Note a row, sound or not."""
        if isinstance(fields.get("id"), str):
            self.ids.append(hash(fields["id"]))
        kind = fields.get("kind") or DEFAULT_KIND
        if isinstance(kind, str):
            self.named_kinds.add(kind)
        if "kind" not in fields and not fields.keys() <= set(FIELDS):
            self.kinds_are_known = False

    def add(self, case: Case) -> Iterator[Mistake]:
        """Count a case in, unless it holds what is no JSON."""
        try:
            self.dataset.add(case)
        except UnicodeEncodeError:
            yield Mistake("text", "expected Unicode text, got half of a surrogate pair")
        except ValueError:
            yield Mistake("number", "expected finite numbers, got NaN or infinity")
        except TypeError as error:
            yield Mistake("content", f"expected what JSON can hold: {error}")
        self.kinds[case.kind] += 1
        self.tags.update(case.tags)


class CaseRules:
    """What every case of a suite must meet: a scorer that applies, what that needs, and what the templates name.

    `places` says where each scorer stands, `unusable` names those that are wrong in themselves; with `complete` unset,
    some are missing altogether. Without `renderer` templates are not rendered; `template_at` is where a line of one is.
    """

    def __init__(
        self,
        scorers: Sequence[ScorerConfig],
        files: Mapping[str, str],
        check_case: CheckCase,
        renderer: Renderer | None,
        *,
        template_at: Callable[[str, int], str],
        places: Mapping[str, str],
        unusable: Collection[str],
        complete: bool,
    ) -> None:
        self.scorers = scorers
        self.files = files
        self.check_case = check_case
        self.renderer = renderer
        self.template_at = template_at
        self.places = places
        self.unusable = unusable
        self.complete = complete
        self.applying: dict[str, list[tuple[str, ScorerConfig]]] = {}

    def mistakes(self, case: Case) -> Iterator[Mistake]:
        """Everything that is wrong with a case."""
        if case.kind not in self.applying:
            self.applying[case.kind] = self.scorers_for(case.kind)
        for label, scorer in self.applying[case.kind]:
            if label not in self.unusable and (message := self.check_case(scorer, case, self.files)):
                of_template = isinstance(scorer, JudgeScorer | RegexScorer) and not message.startswith("expected")
                place = self.places[label] if of_template else ""
                yield Mistake(f"scorer {label}", f"scorer {label!r}: {message}", place=place)
        if self.renderer and (complaint := self.renderer.complaint(case)):
            message, template, line = complaint
            place = "" if template is None else self.template_at(template, line)
            what = "user: " if template == "" else ""
            yield Mistake(f"line {line}" if place else message, what + message, place=place)

    def unscored_kinds(self, kinds: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Message and hint for each kind of case to which no scorer applies."""
        known = sorted({kind for scorer in self.scorers for kind in scorer.kinds or []})
        for kind in kinds if self.complete else ():
            if not self.scorers_for(kind):
                yield f"no scorer applies to the kind {kind!r}", nearest(kind, known)

    def scorers_for(self, kind: str) -> list[tuple[str, ScorerConfig]]:
        """The scorers that apply to cases of a kind, with what they are called."""
        applying = [scorer for scorer in self.scorers if scorer.kinds is None or kind in scorer.kinds]
        return [(scorer.name or scorer.type, scorer) for scorer in applying]


def check_cases(config: SuiteConfig, folder: Path, where: str, rules: CaseRules, problems: Problems) -> Facts:
    """Look at every case once; `where` is the place that names them."""
    facts, unreadable = Facts(), problems.unreadable
    for row, case in read_cases(config.cases, folder, where, problems):
        facts.note(row.fields)
        for mistake in [*facts.add(case), *found_in_time(rules, case, row.where)] if case else ():
            if mistake.place:
                problems.add_of_case(mistake.place, mistake.message, row.where, kind=mistake.kind)
            else:
                problems.add(row.where, mistake.message, mistake.hint, kind=mistake.kind)
    facts.kinds_are_known &= problems.unreadable == unreadable
    if suspects := repeated(facts.ids):
        report_repeated(config, folder, where, suspects, problems)
    return facts


def found_in_time(rules: CaseRules, case: Case, where: str) -> list[Mistake]:
    """Everything that is wrong with a case; raises UsageError where a template or pattern does not end."""
    try:
        with time_limit(CASE_S):
            return list(rules.mistakes(case))
    except TimeoutError:
        message = f"templates and patterns take longer than {CASE_S} s on this case"
        raise UsageError.single(message, where=where, hint="is there a loop in a template?") from None


def repeated(hashes: "array[int]") -> set[int]:
    """The hashes that occur more than once."""
    return {one for one, following in pairwise(sorted(hashes)) if one == following}


def report_repeated(config: SuiteConfig, folder: Path, where: str, suspects: set[int], problems: Problems) -> None:
    """Read the cases again to find the ids that occur twice, and where."""
    first: dict[str, str] = {}
    for row in rows_of(config.cases, folder, where, Problems()):
        id = row.fields.get("id")
        if isinstance(id, str) and hash(id) in suspects:
            if id in first:
                problems.add(row.where, f"the id {brief(id)} stands at {first[id]}, too", kind="repeated id")
            else:
                first[id] = row.where


def unused_kinds(scorers: Iterable[ScorerConfig], kinds: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Scorer, message and hint for each kind of a scorer that no case has."""
    for scorer in scorers if kinds else ():
        for kind in scorer.kinds or []:
            if kind not in kinds:
                yield scorer.name or scorer.type, f"no case has the kind {kind!r}", nearest(kind, sorted(kinds))


def unsteady_models(config: SuiteConfig, models: Iterable[ModelConfig]) -> Iterator[tuple[str, Any]]:
    """Models that would answer a suite that feeds downstream logic with another temperature than 0, and which."""
    for model in models:
        temperature = {**model.params, **config.params}.get("temperature")
        steady = isinstance(temperature, int | float) and not isinstance(temperature, bool) and temperature == 0
        if config.feeds_logic and not steady and (config.models is None or model.name in config.models):
            yield model.name, temperature
