"""How the tests of scorers ask for a finding."""

from collections.abc import Mapping
from typing import Any

from tasks.config import SuiteConfig
from tasks.records import Answer, Case, Finding, Suite
from tasks.scoring.build import build_scorers


def suite_of(*scorers: object, files: Mapping[str, str] | None = None, folder: str = "suites/sample") -> Suite:
    """A suite with these scorers, as a person writes them."""
    return Suite(
        name="sample",
        folder=folder,
        config=SuiteConfig.model_validate({"scorers": list(scorers)}),
        files=files or {},
        n_cases=1,
        kinds={"accuracy": 1},
        tags={},
        dataset_hash="d",
        prompt_hash="p",
        scorers_hash="s",
    )


def case_of(expected: Any = None, *, input: Any = "a question", kind: str = "accuracy") -> Case:
    """A case with a label."""
    return Case(id="c1", input=input, expected=expected, kind=kind, tags=("t1",), group="g1")


def find(
    scorer: object, output: str | Answer, expected: Any = None, *, files: Mapping[str, str] | None = None
) -> Finding:
    """What one scorer finds of one output."""
    [built] = build_scorers(suite_of(scorer, files=files))
    return built.score(output if isinstance(output, Answer) else Answer(output), case_of(expected))
