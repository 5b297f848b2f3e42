"""What differs between two sides, and what that says of the cause."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.lifecycle.causes import Factor, cause_of, differences
from tasks.lifecycle.telling_apart import commands
from tasks.records import Cell
from tests.fakes.nights import CELL

BASE = replace(
    CELL,
    run_id="run-20270101-020000-aaaa",
    suite="invoices",
    model="mini",
    dataset_hash="d" * 64,
    prompt_hash="p" * 64,
    scorers_hash="s" * 64,
    model_id="openai/gpt-4",
    served_models=("gpt-4-0314",),
    fingerprints=("fp_a",),
    params='{"max_tokens": 64, "temperature": 0}',
    endpoint="default",
    judges=("owl: openai/owl (owl-1)",),
    litellm_version="1.106.0",
)
TONIGHT = replace(BASE, run_id="run-20270102-020000-bbbb")

CHANGES: dict[Factor, tuple[dict[str, Any], str, str]] = {
    Factor.SERVED_MODEL: (
        {"served_models": ("gpt-4-0613",)},
        "served model (gpt-4-0314 → gpt-4-0613)",
        "--baseline openai/gpt-4-0314",
    ),
    Factor.PARAMETERS: (
        {"params": '{"seed": 1, "temperature": 0.2}'},
        "parameters (max_tokens=64, seed=null, temperature=0 → max_tokens=null, seed=1, temperature=0.2)",
        "--param max_tokens=64 --param seed=null --param temperature=0",
    ),
    Factor.PROMPT: (
        {"prompt_hash": "q" * 64},
        "prompt template (pppppppp → qqqqqqqq)",
        "--prompt run-20270101-020000-aaaa",
    ),
    Factor.DATASET: ({"dataset_hash": "e" * 64}, "dataset (dddddddd → eeeeeeee)", "put it back to dddddddd"),
    Factor.SCORERS: ({"scorers_hash": "t" * 64}, "scorers (ssssssss → tttttttt)", "put it back to ssssssss"),
    Factor.JUDGE: (
        {"judges": ("owl: openai/owl (owl-2)",)},
        "judge (owl: openai/owl (owl-1) → owl: openai/owl (owl-2))",
        "put it back to owl: openai/owl (owl-1)",
    ),
    Factor.LITELLM: (
        {"litellm_version": "1.107.0"},
        "litellm version (1.106.0 → 1.107.0)",
        "put it back to 1.106.0",
    ),
    Factor.ENDPOINT: (
        {"endpoint": "https://eu.example/v1"},
        "provider endpoint (default → https://eu.example/v1)",
        "--api-base default",
    ),
}


def cause(changed: dict[str, Any], alike: tuple[Factor, ...] = ()) -> str:
    cell = replace(TONIGHT, **changed)
    return cause_of(differences(BASE, cell), alike=alike, base=BASE, cell=cell, p_value=1e-6)


@pytest.mark.parametrize("factor", Factor)
def test_a_single_change_is_named_as_the_cause(factor: Factor) -> None:
    changed, words, _ = CHANGES[factor]
    assert [one.factor for one in differences(BASE, replace(TONIGHT, **changed))] == [factor]
    assert cause(changed) == words


@pytest.mark.parametrize("other", [factor for factor in Factor if factor is not Factor.PROMPT])
def test_of_two_changes_both_are_listed_with_what_tells_them_apart(other: Factor) -> None:
    cell = replace(TONIGHT, **CHANGES[Factor.PROMPT][0], **CHANGES[other][0])
    found = differences(BASE, cell)
    assert {one.factor for one in found} == {Factor.PROMPT, other}
    said = cause_of(found, alike=(), base=BASE, cell=cell, p_value=1e-6)
    assert said.startswith("one of 2: ")
    told = "\n".join(commands(found, BASE, cell))
    for factor in (Factor.PROMPT, other):
        assert CHANGES[factor][1] in said
        assert CHANGES[factor][2] in told


OTHER = replace(BASE, run_id=TONIGHT.run_id, model="large", model_id="openai/gpt-5", served_models=("gpt-5-1",))
"""A model that was asked beside tonight's."""
PARAMS, PROMPT, ENDPOINT = (CHANGES[factor][0] for factor in (Factor.PARAMETERS, Factor.PROMPT, Factor.ENDPOINT))
BACK = "--param max_tokens=64 --param seed=null --param temperature=0"
SERVED = CHANGES[Factor.SERVED_MODEL][0]


@pytest.mark.parametrize(
    ("base", "changed", "candidate", "told"),
    [
        (OTHER, PARAMS, "", {"served model": f"{BACK} --baseline large", "parameters": BACK}),
        (
            OTHER,
            ENDPOINT,
            "",
            {"served model": "--api-base default --baseline large", "provider endpoint": "--api-base default"},
        ),
        (
            OTHER,
            {"params": '{"max_tokens": 9, "temperature": 1}'},
            "--param max_tokens=9 --param temperature=1",
            {"served model": "--param max_tokens=64 --param temperature=0 --baseline large"},
        ),
        (replace(OTHER, params='{"user": "***"}'), PARAMS, "", {}),
        (replace(OTHER, model_id="anthropic/owl"), PARAMS, "", {}),
        (
            replace(OTHER, model="mini", served_models=("a",)),
            PROMPT,
            "--prompt new.md",
            {"prompt template": "--prompt new.md"},
        ),
        (
            replace(BASE, served_models=("a", "b")),
            SERVED | PROMPT,
            "",
            {
                "served model": f"--prompt {BASE.run_id} --baseline {BASE.run_id}",
                "prompt template": f"--prompt {BASE.run_id}",
            },
        ),
        (
            replace(BASE, simulated=True),
            SERVED | PARAMS,
            "",
            {"served model": f"{BACK} --baseline {BASE.run_id}", "parameters": BACK},
        ),
        (
            replace(BASE, model_id="azure/ours"),
            SERVED | PROMPT | {"model_id": "azure/ours", "litellm_version": "1.107.0"},
            "",
            {"prompt template": f"--prompt {BASE.run_id}"},
        ),
    ],
)
def test_a_command_is_printed_only_where_it_lets_one_factor_alone_differ(
    base: Cell, changed: dict[str, Any], candidate: str, told: dict[str, str]
) -> None:
    cell = replace(TONIGHT, **changed)
    asked = ["--candidate", "mini", *candidate.split()]
    lines = commands(differences(base, cell), base, cell, candidate=asked if candidate else ())
    factors = dict(line.split(": ", 1) for line in lines if "put it back" not in line)
    compare = "daybreak compare --suite invoices --candidate mini"
    assert factors == {factor: f"{compare} {options}" for factor, options in told.items()}


def test_without_any_difference_the_evidence_is_shown() -> None:
    assert cause({}) == (
        "the provider changed behind the same version, or noise that passed the test: "
        "served as gpt-4-0314, fingerprint fp_a on both sides, p = 1e-06"
    )
    assert "fingerprint fp_a → fp_b" in cause({"fingerprints": ("fp_b",)})
    base = replace(BASE, served_models=("gpt-4",))
    said = cause_of((), alike=(), base=base, cell=base, p_value=0.0004)
    assert "served as openai/gpt-4, version not disclosed" in said


def test_what_was_scored_alike_on_both_sides_is_named_but_is_not_the_cause() -> None:
    alike = (Factor.SCORERS, Factor.DATASET)
    scorers, model = CHANGES[Factor.SCORERS][0], CHANGES[Factor.SERVED_MODEL][0]
    assert cause(scorers, alike).startswith("the provider changed behind the same version")
    assert cause(scorers, alike).endswith("changed, but the same on both sides here: scorers")
    assert cause({**scorers, **model}, alike) == (
        "served model (gpt-4-0314 → gpt-4-0613); changed, but the same on both sides here: scorers"
    )


def test_what_one_side_does_not_know_is_no_difference() -> None:
    old = Cell(
        **{name: getattr(BASE, name) for name in Cell.__dataclass_fields__}
        | {"model_id": None, "params": None, "endpoint": None, "judges": None, "litellm_version": None}
    )
    assert differences(old, TONIGHT) == ()
