"""Simulated models: as skilled as they say, reproducible, and wrong in the ways of real models."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tasks.calls.rehearsal import Asked, Crib, Manner, cut, knows, problems_of_params, say
from tasks.calls.rehearsed_answers import COMPLIANCE, REFUSAL
from tasks.config import ScorerConfig, SuiteConfig
from tasks.records import Answer, Case, Phase, Suite, TrialKey
from tasks.scoring.build import build_scorer, outcome_of, score_all

LABELS = ["billing", "bug", "how_to", "sales"]
N = 2000


def scorers_of(*scorers: object) -> list[ScorerConfig]:
    return SuiteConfig.model_validate({"scorers": list(scorers)}).scorers


ONE_OF = scorers_of({"one_of": {"labels": LABELS}})


def case_number(number: int, **given: Any) -> Case:
    return Case(**{"id": f"case-{number}", "input": "…", "expected": LABELS[number % 4], **given})


def key_of(case: Case, *, trial: int = 1, phase: Phase = "planned", model: str = "dawn") -> TrialKey:
    return TrialKey("run-20261101-020000-abcd", "triage", model, case.id, trial, phase)


def right(manner: Manner, case: Case, *, salt: int = 0, **given: Any) -> bool:
    return knows(manner, key_of(case, **given), Crib(case=case, scorers=ONE_OF, salt=salt))


def pattern(manner: Manner, **given: Any) -> list[bool]:
    return [right(manner, case_number(number), **given) for number in range(N)]


def share(answers: Sequence[bool]) -> float:
    return sum(answers) / len(answers)


def within(skill: float, n: int = N) -> Any:
    """Four standard errors of a binomial share: one run in 16,000 would miss it, and the seed is fixed."""
    return pytest.approx(skill, abs=4 * (skill * (1 - skill) / n) ** 0.5)


# Skill


@pytest.mark.parametrize("skill", [0.5, 0.84, 0.97])
@pytest.mark.parametrize("flaky", [0.0, 0.3])
def test_a_model_is_as_skilled_as_it_says(skill: float, flaky: float) -> None:
    assert share(pattern(Manner(skill=skill, flaky=flaky, seed=3))) == within(skill)


def test_the_same_question_gets_the_same_answer() -> None:
    manner = Manner(skill=0.8, flaky=0.2, seed=3)
    assert pattern(manner, trial=2, salt=7) == pattern(manner, trial=2, salt=7)


@pytest.mark.parametrize("other", [{"salt": 1}, {"trial": 2}, {"phase": "confirm"}, {"model": "dusk"}])
def test_only_flaky_cases_change_from_night_to_night_and_trial_to_trial(other: dict[str, Any]) -> None:
    steady, flaky = Manner(skill=0.8, flaky=0.0, seed=3), Manner(skill=0.8, flaky=0.25, seed=3)
    assert pattern(steady) == pattern(steady, **other)
    changed = [one != two for one, two in zip(pattern(flaky), pattern(flaky, **other), strict=True)]
    assert share(changed) == within(0.25 * 2 * 0.8 * 0.2)


def test_a_weaker_version_of_a_family_loses_cases_and_gains_none() -> None:
    strong, weak = pattern(Manner(skill=0.9, flaky=0, seed=3)), pattern(Manner(skill=0.8, flaky=0, seed=3))
    assert not any(two and not one for one, two in zip(strong, weak, strict=True))
    assert share(strong) - share(weak) == within(0.1)


def test_another_seed_knows_other_cases() -> None:
    one, other = pattern(Manner(skill=0.5, flaky=0, seed=3)), pattern(Manner(skill=0.5, flaky=0, seed=4))
    assert share([a == b for a, b in zip(one, other, strict=True)]) == within(0.5)


def test_a_model_can_be_weak_on_one_slice() -> None:
    manner = Manner(skill=0.9, weak_on={"ocr": 0.4, "hallucination": 0.6}, seed=3)
    tagged = [right(manner, case_number(n, tags=("en", "ocr"))) for n in range(N)]
    of_kind = [right(manner, case_number(n, kind="hallucination")) for n in range(N)]
    both = [right(manner, case_number(n, kind="hallucination", tags=("ocr",))) for n in range(N)]
    assert share(tagged) == within(0.4)
    assert share(of_kind) == within(0.6)
    assert share(both) == within(0.4)
    assert share(pattern(manner)) == within(0.9)


# What it says, scored by the real scorers


REFERENCE = "Invoices are sent on the first working day of each month."
INVOICE = {
    "supplier": "Papierhof",
    "date": "2026-03-09",
    "due": "2026-04-30",
    "total": 1469.11,
    "paid": False,
    "po": None,
}
SCHEMA = {"type": "object", "required": list(INVOICE)}
FORMS: dict[str, tuple[Sequence[ScorerConfig], Any, Sequence[Any]]] = {
    "one_of": (scorers_of({"one_of": {"labels": LABELS}}), "billing", ["bug", "sales"]),
    "one_of, first": (scorers_of({"one_of": {"labels": ["answer", "question"], "pick": "first"}}), "question", []),
    "exact": (scorers_of("exact"), "42 km", ["43 km", "12 km"]),
    "contains": (scorers_of("contains"), "Tuesday", ["Monday", "next Tuesday"]),
    "contains all": (scorers_of("contains"), ["red", "green"], [["blue"], ["green", "grey"]]),
    "numeric": (scorers_of({"numeric": {"rel_tolerance": 0.05}}), 1200.5, [7, 8]),
    "numeric text": (scorers_of({"numeric": {"pick": "only"}}), "-3", []),
    "json": (scorers_of({"json_schema": {"schema": SCHEMA, "fields": list(INVOICE)}}), INVOICE, []),
    "json, no fields": (scorers_of({"json_schema": {"schema": SCHEMA}}), INVOICE, []),
    "refuse": (scorers_of("refusal"), None, []),
    "answer": (scorers_of({"refusal": {"want": "answer"}}), None, []),
    "several": (scorers_of("exact", {"one_of": {"labels": LABELS}}), "billing", ["bug"]),
}  # fmt: skip


def suite_of(scorers: Sequence[ScorerConfig]) -> Suite:
    return Suite(
        name="triage", folder=".", config=SuiteConfig(scorers=list(scorers)), files={}, n_cases=1, kinds={}, tags={},
        dataset_hash="", prompt_hash="", scorers_hash="",
    )  # fmt: skip


def outcomes(manner: Manner, scorers: Sequence[ScorerConfig], expected: Any, others: Sequence[Any]) -> Iterator[str]:
    built = [build_scorer(scorer, suite_of(scorers)) for scorer in scorers]
    for number in range(60):
        case = case_number(number, expected=expected)
        asked = Asked(key_of(case), "model", Crib(case=case, scorers=scorers, others=others))
        answer = Answer(say(manner, "dawn", asked), "stop")
        yield outcome_of(score_all(built, answer, case))[0]


@pytest.mark.parametrize("form", FORMS)
def test_the_scorers_pass_what_a_skilled_model_says(form: str) -> None:
    assert set(outcomes(Manner(skill=1, flaky=0), *FORMS[form])) == {"passed"}


@pytest.mark.parametrize(
    "manner", [{}, {"refuses": 0.5}, {"hallucinates": 1}], ids=["slips", "refuses", "hallucinates"]
)
@pytest.mark.parametrize("form", [form for form in FORMS if form != "json, no fields"])
def test_the_scorers_fail_what_an_unskilled_model_says(form: str, manner: dict[str, float]) -> None:
    assert set(outcomes(Manner.model_validate({"skill": 0, "flaky": 0, **manner}), *FORMS[form])) == {"failed"}


def texts(
    manner: Manner, scorers: Sequence[ScorerConfig], expected: Any, others: Sequence[Any] = (), **case: Any
) -> set[str]:
    cases = [case_number(number, expected=expected, **case) for number in range(60)]
    return {say(manner, "dawn", Asked(key_of(c), "model", Crib(case=c, scorers=scorers, others=others))) for c in cases}


def test_wrong_answers_are_those_of_real_models() -> None:
    wrong = Manner(skill=0, flaky=0)
    assert texts(wrong, ONE_OF, "billing") == {"bug", "how_to", "sales"}
    assert texts(wrong, scorers_of("exact"), "Paris", ["Rome", "Paris"]) == {"Rome"}
    assert texts(wrong, scorers_of("refusal"), None) == {COMPLIANCE}
    assert texts(wrong, scorers_of({"refusal": {"want": "answer"}}), None) == {REFUSAL}
    invented = texts(wrong, scorers_of("exact"), REFERENCE, ["Rome"], kind="hallucination")
    assert all(text.startswith("Invoices are sent on the ") for text in invented)
    assert REFERENCE not in invented


def test_a_wrong_document_has_one_field_off() -> None:
    scorers = scorers_of({"json_schema": {"schema": SCHEMA, "fields": list(INVOICE)}})
    other = {**INVOICE, "supplier": "Kupferhammer"}
    documents = [json.loads(text) for text in texts(Manner(skill=0, flaky=0), scorers, INVOICE, [other])]
    differing = [[name for name in INVOICE if document[name] != INVOICE[name]] for document in documents]
    assert all(len(names) == 1 for names in differing)
    assert {names[0] for names in differing} == set(INVOICE)
    assert {"2026-09-03", "Kupferhammer", True} <= {value for document in documents for value in document.values()}


def test_a_scorer_for_other_kinds_has_no_say() -> None:
    scorers = scorers_of({"one_of": {"labels": LABELS}}, {"refusal": {"kinds": ["refusal"]}})
    assert REFUSAL not in texts(Manner(skill=1, flaky=0), scorers, "billing")
    assert texts(Manner(skill=1, flaky=0), scorers, None, kind="refusal") == {REFUSAL}


def test_an_answer_that_is_too_long_is_cut_off() -> None:
    assert cut("x" * 39, 10) == ("x" * 39, "stop")
    assert cut("x" * 41, 10) == ("x" * 36, "length")


# The judge


def verdicts(manner: Manner, *, answers_right: bool, truth: bool | None = None) -> list[bool]:
    judge = scorers_of({"judge": {"judge": "owl", "rubric": "rubric.md"}})
    passed = []
    for number in range(N):
        case = case_number(number, expected=REFERENCE)
        answer = say(
            Manner(skill=float(answers_right), flaky=0),
            "dawn",
            Asked(key_of(case), "model", Crib(case=case, scorers=judge)),
        )
        crib = Crib(case=case, scorers=judge, judged=answer, truth=truth)
        reply = json.loads(say(manner, "owl", Asked(key_of(case), "judge", crib)))
        assert list(reply) == ["reasoning", "verdict", "confidence"]
        assert 0 <= reply["confidence"] <= 1
        passed.append(reply["verdict"] == "pass")
    return passed


def test_a_judge_errs_as_often_as_it_says() -> None:
    owl = Manner(sensitivity=0.9, specificity=0.75, seed=3)
    assert share(verdicts(owl, answers_right=True)) == within(0.9)
    assert share(verdicts(owl, answers_right=False)) == within(0.25)
    assert verdicts(owl, answers_right=True) == verdicts(owl, answers_right=True)


def test_a_judge_believes_who_knows_better() -> None:
    assert not any(verdicts(Manner(sensitivity=1, specificity=1), answers_right=True, truth=False))


# Params


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"skil": 0.9}, "skil: expected a param of simulated models, which this is not; did you mean 'skill'?"),
        ({"skill": 90}, "skill: Input should be less than or equal to 1 (got 90)"),
        ({"weak_on": {"ocr": "low"}}, "weak_on.ocr: Input should be a valid number (got 'low')"),
        ({"seed": "x"}, "seed: Input should be a valid integer (got 'x')"),
    ],
)
def test_params_that_make_no_sense_are_told(params: dict[str, Any], says: str) -> None:
    assert problems_of_params(params) == [says]


def test_params_of_any_model_are_fine() -> None:
    assert problems_of_params({"temperature": 0, "max_tokens": 9, "response_format": {}, "skill": 1}) == []
