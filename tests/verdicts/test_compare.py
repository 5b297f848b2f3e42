"""Verdicts, flips and the pass-rate gate, as a night would use them."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.config import Gate
from tasks.records import Verdict
from tasks.verdicts.compare import Paired, would_reach
from tasks.verdicts.decide import Decided, decide
from tasks.verdicts.evidence import open_case
from tasks.verdicts.flips import flips
from tasks.verdicts.gates import check_pass_rate
from tasks.verdicts.statistics import wilson

LLMDRIFT = Path(__file__).parents[3] / "shared/data/llmdrift-prime/answers.jsonl.gz"
Row = tuple[int, int, int, int]


def paired(rows: list[Row], **changes: Any) -> Paired:
    """Cases of (passes, trials) of the baseline and of tonight."""
    base_passed, base_measured, passed, measured = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    sizes = {"n_cases": len(rows), "n_base_cases": len(rows)}
    ids = [f"case-{number}" for number in range(len(rows))]
    return Paired(ids, base_passed, base_measured, passed, measured, **{**sizes, **changes})


def judged_as_it_stands(sides: Paired, gate: Gate) -> Decided:
    """What the trials say where no more can be had."""
    judged = decide(open_case(sides), gate, may_ask=False)
    assert isinstance(judged, Decided)
    return judged


def swapped(rows: list[Row]) -> list[Row]:
    return [(b, m, a, n) for a, n, b, m in rows]


SAME: Row = (5, 5, 1, 1)
LOST: Row = (5, 5, 0, 1)
GAINED: Row = (0, 5, 1, 1)
UNMEASURED: Row = (5, 5, 0, 0)


def test_a_drop_beyond_the_gate_and_beyond_noise_is_a_regression() -> None:
    judged = judged_as_it_stands(paired([SAME] * 90 + [LOST] * 10), Gate())
    assert judged.verdict is Verdict.REGRESSED
    assert (judged.baseline_pass_rate, judged.pass_rate, judged.drop_pp) == (1.0, 0.9, 10.0)
    assert judged.n_paired == 100
    assert judged.p_value == pytest.approx(2 / 6**10)
    assert judged.interval is not None
    assert 0 < judged.interval.low < 10 < judged.interval.high
    assert judged.detectable_drop_pp is not None
    assert 3 < judged.detectable_drop_pp < 10


def test_the_mirrored_change_is_an_improvement() -> None:
    assert judged_as_it_stands(paired([SAME] * 90 + [GAINED] * 10), Gate()).verdict is Verdict.IMPROVED


def test_a_drop_of_exactly_the_limit_does_not_exceed_it() -> None:
    """In floating point .80 - .77 is greater than .03."""
    rows = paired([SAME] * 77 + [LOST] * 3 + [(0, 5, 0, 1)] * 20)
    assert not would_reach(rows, Gate(max_drop_pp=3))
    assert would_reach(rows, Gate(max_drop_pp=2.9))


@pytest.mark.parametrize("sizes", [{"n_cases": 126}, {"n_base_cases": 126}])
def test_too_few_common_cases_are_another_dataset(sizes: dict[str, int]) -> None:
    judged = judged_as_it_stands(paired([SAME] * 100, **sizes), Gate())
    assert judged.verdict is Verdict.UNMEASURED
    assert judged.cause == "the dataset changed: promote (100 of 126 cases are the same)"
    assert judged.drop_pp is None


def test_four_of_five_common_cases_are_enough() -> None:
    assert judged_as_it_stands(paired([SAME] * 100, n_cases=125), Gate()).verdict is Verdict.UNCHANGED


def test_nothing_in_common_is_unmeasured() -> None:
    assert judged_as_it_stands(paired([], n_cases=10, n_base_cases=10), Gate()).verdict is Verdict.UNMEASURED
    assert judged_as_it_stands(paired([]), Gate()).verdict is Verdict.UNMEASURED


def test_too_few_measured_cases_are_unmeasured() -> None:
    judged = judged_as_it_stands(paired([SAME] * 94 + [UNMEASURED] * 6), Gate())
    assert judged.verdict is Verdict.UNMEASURED
    assert judged.cause == "94 of 100 cases were measured; the gate asks for 95%"
    assert judged_as_it_stands(paired([SAME] * 98 + [UNMEASURED] * 2), Gate()).verdict is Verdict.UNCHANGED


def test_nothing_measured_is_unmeasured_whatever_the_gate_allows() -> None:
    assert judged_as_it_stands(paired([UNMEASURED] * 10), Gate(min_coverage=0)).verdict is Verdict.UNMEASURED


def test_a_baseline_that_measured_little_is_no_baseline() -> None:
    judged = judged_as_it_stands(paired([SAME] * 10 + [(0, 0, 1, 1)] * 10), Gate())
    assert judged.verdict is Verdict.UNMEASURED
    assert judged.cause == "the baseline measured only 10 of these 20 cases: promote a complete run"


def test_nothing_is_to_be_promoted_where_the_baseline_is_of_the_same_run() -> None:
    judged = judged_as_it_stands(paired([SAME] * 10 + [(0, 0, 1, 1)] * 10, same_run=True), Gate())
    assert judged.cause == "the baseline measured only 10 of these 20 cases"
    judged = judged_as_it_stands(paired([], n_cases=20, same_run=True), Gate())
    assert judged.cause == "only 0 of 20 cases were asked of both models"


def test_unmeasured_cases_that_could_hide_a_regression_are_never_unchanged() -> None:
    judged = judged_as_it_stands(paired([SAME] * 95 + [UNMEASURED] * 5), Gate())
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert judged.cause == "the 5 trials that were not measured would reach the gate if failed"


def test_unmeasured_trials_of_a_measured_case_count_too() -> None:
    rows: list[Row] = [(5, 5, 3, 3)] * 80 + [(5, 5, 1, 1)] * 20
    assert judged_as_it_stands(paired(rows, trials=3), Gate()).verdict is Verdict.INCONCLUSIVE
    assert judged_as_it_stands(paired(rows, trials=1), Gate()).verdict is Verdict.UNCHANGED


def test_unmeasured_cases_do_not_soften_a_regression() -> None:
    assert (
        judged_as_it_stands(paired([SAME] * 88 + [LOST] * 10 + [UNMEASURED] * 2), Gate()).verdict is Verdict.REGRESSED
    )


def rows_of_cases(max_trials: int = 4) -> st.SearchStrategy[list[Row]]:
    trials = st.integers(1, max_trials)
    row = st.tuples(trials, trials).flatmap(
        lambda ns: st.tuples(st.integers(0, ns[0]), st.just(ns[0]), st.integers(0, ns[1]), st.just(ns[1]))
    )
    lost_or_gained = st.sampled_from([LOST, GAINED, SAME])
    return st.lists(row | lost_or_gained, min_size=1, max_size=40)


@settings(deadline=None)
@given(rows_of_cases())
def test_swapping_sides_negates(rows: list[Row]) -> None:
    there, back = judged_as_it_stands(paired(rows), Gate()), judged_as_it_stands(paired(swapped(rows)), Gate())
    assert there.drop_pp is not None
    assert back.drop_pp == -there.drop_pp
    assert back.churn == there.churn[::-1]
    assert back.p_value == pytest.approx(there.p_value)
    assert there.interval is not None
    assert back.interval == pytest.approx((-there.interval.high, -there.interval.low), abs=1e-9)


def test_flips_are_told_in_the_order_of_the_cases() -> None:
    rows = [SAME, LOST, GAINED, UNMEASURED, (3, 5, 0, 1)]
    assert flips(paired(rows)) == [("case-1", "lost"), ("case-2", "gained"), ("case-4", "lost")]


def test_a_tie_of_trials_is_no_flip() -> None:
    assert flips(paired([(2, 4, 0, 1), (5, 5, 1, 2)])) == []


def paper_says(answer: str) -> str | None:
    """Scored by the paper's rule: a whole word "yes" anywhere, else a whole word "no"."""
    return next((word for word in ("yes", "no") if re.search(rf"\b{word}\b", answer, re.IGNORECASE)), None)


@pytest.mark.skipif(not LLMDRIFT.exists(), reason="the published answers are not here")
def test_gpt_4_lost_the_primes_and_gained_the_composites() -> None:
    lines = [json.loads(line) for line in gzip.decompress(LLMDRIFT.read_bytes()).splitlines()]
    passed = {(row["model"], row["id"]): paper_says(row["answer"]) == row["reference"].lower() for row in lines}
    prime = {row["id"]: row["is_prime"] for row in lines}
    ids = sorted(prime)
    rows: list[Row] = [(passed["gpt-4-0314", id], 1, passed["gpt-4-0613", id], 1) for id in ids]
    changed = paired(rows)
    flipped = [(prime[ids[int(case.removeprefix("case-"))]], direction) for case, direction in flips(changed)]
    assert {key: flipped.count(key) for key in set(flipped)} == {(True, "lost"): 476, (False, "gained"): 147}
    judged = judged_as_it_stands(changed, Gate())
    assert judged.verdict is Verdict.REGRESSED
    assert judged.drop_pp == pytest.approx(32.9)
    assert judged_as_it_stands(paired(swapped(rows)), Gate()).verdict is Verdict.IMPROVED


@pytest.mark.parametrize(
    ("passed", "limit", "state", "side"),
    [
        (95, 0.8, "ok", "at least 80.0%"),
        (60, 0.8, "failed", "below 80.0%"),
        (78, 0.8, "undecided", "below 80.0%, but"),
        (80, 0.8, "undecided", "not below 80.0%, but"),
        (99, 1.0, "failed", "below 100.0%"),
        (0, 0.0, "ok", "at least 0.0%"),
    ],
)
def test_the_whole_interval_decides_the_pass_rate_gate(passed: int, limit: float, state: str, side: str) -> None:
    outcomes = np.repeat([1, 0], [passed, 100 - passed])
    check = check_pass_rate(outcomes, np.ones(100, dtype=np.int64), limit=limit)
    assert (check.value, check.interval, check.state) == (passed / 100, wilson(passed, 100), state)
    assert check.reason.startswith(side)


def test_a_gate_on_nothing_is_undecided() -> None:
    none = np.zeros(3, dtype=np.int64)
    assert check_pass_rate(none, none, limit=0.5).state == "undecided"
