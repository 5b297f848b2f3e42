"""From a suite's scorers to findings, and from findings to the outcome of a trial."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from tasks.config import (
    ContainsScorer,
    ExactScorer,
    JsonSchemaScorer,
    JudgeScorer,
    NumericScorer,
    OneOfScorer,
    PythonScorer,
    RefusalScorer,
    RegexScorer,
    ScorerConfig,
)
from tasks.records import Answer, Case, Finding, OutcomeState, Suite
from tasks.scoring.findings import PROVIDER_REFUSED, Rule, crash, finding_without_reading, marked, unscored
from tasks.scoring.json_fields import json_schema
from tasks.scoring.json_schemas import read_schema
from tasks.scoring.labels import one_of
from tasks.scoring.numeric import numeric
from tasks.scoring.patterns import regex_search
from tasks.scoring.python_call import python
from tasks.scoring.refusal import refusal, refused_by_provider
from tasks.scoring.text import contains, exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """One scorer of a suite, compiled once and used for every trial. It never raises."""

    name: str
    kinds: frozenset[str] | None
    rule: Rule
    provider_refused: Finding

    def applies_to(self, case: Case) -> bool:
        """True when the scorer is for cases of this kind."""
        return self.kinds is None or case.kind in self.kinds

    def score(self, answer: Answer, case: Case) -> Finding:
        """What the scorer finds. A scorer that crashes leaves the case unscored, with the reason."""
        if answer.refused_by_provider:
            return self.provider_refused
        if known := finding_without_reading(answer):
            return known
        try:
            return marked(self.rule(answer.text, case), answer)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 (a suite's own code may raise anything)
            return crash(error)


def build_scorers(suite: Suite) -> tuple[Scorer, ...]:
    """The scorers of a suite but its judges, in its order; raises UsageError for a function that cannot be loaded."""
    return tuple(build_scorer(config, suite) for config in suite.config.scorers if not isinstance(config, JudgeScorer))


def build_scorer(config: ScorerConfig, suite: Suite) -> Scorer:
    """One scorer."""
    refused = refused_by_provider(config) if isinstance(config, RefusalScorer) else unscored(PROVIDER_REFUSED)
    return Scorer(
        name=config.name or config.type,
        kinds=None if config.kinds is None else frozenset(config.kinds),
        rule=rule_of(config, suite),
        provider_refused=refused,
    )


def rule_of(config: ScorerConfig, suite: Suite) -> Rule:
    """What the scorer does with an output."""
    match config:
        case ExactScorer():
            return exact(config)
        case ContainsScorer():
            return contains(config)
        case OneOfScorer():
            return one_of(config)
        case RegexScorer():
            return regex_search(config)
        case NumericScorer():
            return numeric(config)
        case JsonSchemaScorer():
            return json_schema(config, read_schema(config.schema_, suite.files))
        case RefusalScorer():
            return refusal(config)
        case PythonScorer():
            return python(config, suite.files, Path(suite.folder))
        case JudgeScorer():
            raise TypeError("a judge is asked, not computed: see tasks.scoring.judge")
        case _:
            assert_never(config)


def score_all(scorers: Iterable[Scorer], answer: Answer, case: Case) -> list[tuple[str, Finding]]:
    """The findings of all scorers that apply to a case, by name."""
    return [(scorer.name, scorer.score(answer, case)) for scorer in scorers if scorer.applies_to(case)]


def outcome_of(findings: Iterable[tuple[str, Finding]]) -> tuple[OutcomeState, str]:
    """What a trial counts as: failed if any scorer failed it, else unmeasured if any could not say, else passed.

    The reason is that of the scorer that decided, after its name.
    """
    findings = list(findings)
    states: tuple[tuple[bool | None, OutcomeState], ...] = ((False, "failed"), (None, "unmeasured"))
    for passed, state in states:
        for name, finding in findings:
            if finding.passed is passed:
                return state, f"{name}: {finding.reason}"
    return ("passed", "") if findings else ("unmeasured", "no scorer applies")
