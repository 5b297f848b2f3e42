"""The rule of a night: what raises a suspicion, what it asks for, and what it says in the end."""

import gzip
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.config import Gate
from tasks.records import Verdict
from tasks.verdicts.decide import Decided, MoreTrials, decide
from tasks.verdicts.drift import Drift
from tasks.verdicts.evidence import Evidence, FreshTrial, open_case, slices_of, with_fresh
from tasks.verdicts.looks import CELL_ERROR, MEAN_SHARE, looks_of, rule_of_slice
from tests.verdicts.test_compare import GAINED, LLMDRIFT, LOST, SAME, UNMEASURED, Row, paired, paper_says

FLAKY: Row = (3, 5, 1, 1)
GATE = Gate()


def asked_until(
    evidence: Evidence, gate: Gate = GATE, *, again: Any = None, **changes: Any
) -> tuple[Decided, list[int]]:
    """Drive a night to its end; fresh trials of a case say `again`, by default what the planned one said."""
    ids, asked = list(evidence.paired.case_ids), []
    planned = (evidence.paired.passed > 0).tolist()
    trials: dict[tuple[str, int], bool | None] = {}
    while isinstance(answer := decide(evidence, gate, **changes), MoreTrials):
        asked.append(answer.up_to_trials)
        for case_id in answer.case_ids or ids:
            for trial in range(1, answer.up_to_trials + 1):
                passed = planned[ids.index(case_id)] if again is None else again(case_id, trial)
                trials.setdefault((case_id, trial), passed)
        evidence = with_fresh(evidence, [FreshTrial(*key, passed) for key, passed in trials.items()])
    return answer, asked


def test_a_suspected_drop_asks_every_case_once_more_before_it_alarms() -> None:
    evidence = open_case(paired([SAME] * 90 + [LOST] * 10))
    assert decide(evidence, Gate()) == MoreTrials(case_ids=None, up_to_trials=1)
    decided, asked = asked_until(evidence)
    assert (decided.verdict, decided.alarms, asked, decided.fresh_trials) == (Verdict.REGRESSED, ("mean",), [1], 1)
    assert decided.cause.startswith("more than 3 pp worse, beyond run-to-run noise")
    assert decided.drop_pp == 10
    assert decided.churn == (10, 0)


def test_nothing_suspected_asks_for_nothing() -> None:
    decided = decide(open_case(paired([SAME] * 95 + [FLAKY] * 5)), Gate())
    assert isinstance(decided, Decided)
    assert (decided.verdict, decided.cause) == (Verdict.UNCHANGED, "no difference beyond run-to-run noise")
    assert decided.detectable_drop_pp is not None
    assert 3 < decided.detectable_drop_pp < 6


def test_a_suspicion_that_fresh_trials_do_not_bear_out_is_dropped() -> None:
    evidence = open_case(paired([SAME] * 95 + [LOST] * 5))
    decided, asked = asked_until(evidence, again=lambda case, trial: True)
    assert decided.verdict is not Verdict.REGRESSED
    assert asked == [1, 3]


def test_one_sure_case_of_thirty_needs_all_nine_trials() -> None:
    """Five of five against none of nine is one in 2002, which only the last look believes."""
    decided, asked = asked_until(open_case(paired([SAME] * 29 + [LOST])), forced=True)
    assert (decided.verdict, asked) == (Verdict.REGRESSED, [1, 3, 8])


@pytest.mark.parametrize(
    ("most", "looks"), [(8, [0, 1, 3, 8]), (4, [0, 1, 3, 4]), (3, [0, 1, 3]), (2, [0, 1, 2]), (1, [0, 1])]
)
def test_looks_stay_within_the_trials_allowed_and_spend_the_error_whole(most: int, looks: list[int]) -> None:
    found = looks_of(Gate(max_confirm_trials=most), 1e-3)
    assert [look.fresh for look in found] == looks
    assert sum(look.threshold for look in found) == pytest.approx(1e-3)


def test_mean_and_slices_together_spend_one_error() -> None:
    slices = rule_of_slice(Gate(), 7, slices_per_case=2)
    mean = sum(look.threshold for look in looks_of(Gate(), MEAN_SHARE * CELL_ERROR))
    assert mean + 7 * sum(look.threshold for look in slices.looks) == pytest.approx(CELL_ERROR)


def test_a_suspicion_without_further_trials_stays_undecided() -> None:
    evidence = open_case(paired([SAME] * 95 + [LOST] * 5))
    decided = decide(evidence, Gate(), may_ask=False)
    assert isinstance(decided, Decided)
    assert decided.verdict is Verdict.INCONCLUSIVE
    assert "could not be had" in decided.cause


def test_a_collapse_needs_no_trials_that_cannot_be_had() -> None:
    decided = decide(open_case(paired([SAME] * 50 + [LOST] * 50)), Gate(), may_ask=False)
    assert isinstance(decided, Decided)
    assert (decided.verdict, decided.fresh_trials) == (Verdict.REGRESSED, 0)


def test_a_moved_version_is_asked_three_times_though_nothing_is_suspected() -> None:
    decided, asked = asked_until(open_case(paired([SAME] * 50)), forced=True)
    assert (decided.verdict, asked) == (Verdict.UNCHANGED, [1, 3])


def test_a_gain_is_told_without_further_trials() -> None:
    decided = decide(open_case(paired([SAME] * 90 + [GAINED] * 10)), Gate())
    assert isinstance(decided, Decided)
    assert (decided.verdict, decided.churn) == (Verdict.IMPROVED, (0, 10))


def test_a_gain_that_may_be_chance_is_not_called_a_drop() -> None:
    decided = decide(open_case(paired([SAME] * 20 + [LOST] * 8 + [GAINED] * 9)), Gate(max_detectable_drop_pp=100))
    assert isinstance(decided, Decided)
    assert decided.verdict is Verdict.INCONCLUSIVE
    assert decided.cause.startswith("2.7 pp better, perhaps by chance: a drop of ")


def test_a_real_drop_within_the_limit_is_no_regression() -> None:
    decided, asked = asked_until(open_case(paired([SAME] * 392 + [LOST] * 8)))
    assert decided.verdict is Verdict.UNCHANGED
    assert decided.cause == "a small loss perhaps, below 3.1 pp"
    assert asked == [1, 3, 8]


def test_strict_blocks_on_the_estimate_after_the_same_trials() -> None:
    rows: list[Row] = [(5, 5, 1, 1)] * 60 + [(3, 5, 0, 1)] * 8 + [(3, 5, 1, 1)] * 7
    strict, asked = asked_until(open_case(paired(rows)), Gate(policy="strict", max_drop_pp=1))
    assert (strict.verdict, asked[-1]) == (Verdict.REGRESSED, 8)
    assert "by the estimate alone" in strict.cause
    milder = Gate(policy="strict", max_drop_pp=2)
    spared, asked = asked_until(open_case(paired(rows)), milder, again=lambda case, trial: True)
    assert (spared.verdict is Verdict.REGRESSED, asked) == (False, [1])


def test_what_cannot_be_found_is_never_called_unchanged() -> None:
    decided = decide(open_case(paired([FLAKY] * 20)), Gate())
    assert isinstance(decided, Decided)
    assert decided.verdict is Verdict.INCONCLUSIVE
    assert "the gate asks for 10 pp" in decided.cause


def test_unmeasured_trials_that_could_hide_a_regression_are_never_unchanged() -> None:
    decided = decide(open_case(paired([SAME] * 95 + [UNMEASURED] * 5)), Gate())
    assert isinstance(decided, Decided)
    assert (decided.verdict, decided.cause) == (
        Verdict.INCONCLUSIVE,
        "the 5 trials that were not measured would reach the gate if failed",
    )


def test_too_little_measured_is_unmeasured() -> None:
    decided = decide(open_case(paired([SAME] * 90 + [UNMEASURED] * 10)), Gate())
    assert isinstance(decided, Decided)
    assert decided.verdict is Verdict.UNMEASURED


def test_a_drop_of_one_slice_asks_its_cases_alone_and_is_named() -> None:
    rows = [SAME] * 396 + [LOST] * 4 + [(0, 5, 0, 1)] * 20
    tags = [[] if index < 380 else ["legal"] for index in range(len(rows))]
    evidence = open_case(paired(rows), tags=tags)
    more = decide(evidence, Gate())
    assert isinstance(more, MoreTrials)
    legal = {f"case-{index}" for index in range(380, 420)}
    decided, _ = asked_until(evidence)
    assert set(more.case_ids or legal) == legal or more.case_ids is None
    assert decided.alarms == ("legal",)
    assert decided.cause.startswith("legal: more than 3 pp worse")
    assert "legal 50.0 → 40.0 %" in decided.cause


def test_movements_that_cancel_in_the_mean_are_found_and_named() -> None:
    rows = [SAME] * 30 + [LOST] * 20 + [GAINED] * 20 + [(0, 5, 0, 1)] * 30
    evidence = open_case(paired(rows), kinds=["primes"] * 50 + ["composites"] * 50)
    decided, _ = asked_until(evidence)
    assert decided.drop_pp == 0
    assert decided.verdict is Verdict.REGRESSED
    assert decided.alarms == ("primes",)
    assert decided.cause.endswith("primes 100.0 → 60.0 %, composites 0.0 → 40.0 %")


def test_churn_without_a_change_of_the_mean_is_shown_and_alarms_nobody() -> None:
    rows = [SAME] * 380 + [LOST] * 40 + [GAINED] * 40 + [(0, 5, 0, 1)] * 40
    decided = decide(open_case(paired(rows)), Gate())
    assert isinstance(decided, Decided)
    assert (decided.verdict, decided.churn) == (Verdict.UNCHANGED, (40, 40))


def test_day_shifts_seen_before_raise_the_threshold() -> None:
    evidence = open_case(paired([SAME] * 80 + [(4, 5, 1, 1)] * 12 + [(4, 5, 0, 1)] * 8))
    assert isinstance(decide(evidence, Gate()), MoreTrials)
    assert isinstance(decide(evidence, Gate(), drift=Drift(variance=1.0)), Decided)


def test_slices_need_ten_cases_and_others_beside_them() -> None:
    kinds = ["accuracy"] * 15 + ["refusal"] * 5
    tags = [["all", "accuracy", "rare"][: 3 if index < 9 else 2 if index < 15 else 1] for index in range(20)]
    assert [part.name for part in slices_of(kinds, tags, n_cases=20)] == ["accuracy"]
    other = [["accuracy"] if index % 2 else [] for index in range(20)]
    assert [part.name for part in slices_of(kinds, other, n_cases=20)] == ["accuracy", "tag accuracy"]


def test_fresh_trials_of_other_cases_are_left_out_and_failed_calls_count_as_asked() -> None:
    evidence = open_case(paired([SAME] * 20))
    fresh = [FreshTrial(f"case-{number}", 1, True if number else None) for number in range(20)]
    seen = with_fresh(evidence, [*fresh, FreshTrial("gone", 3, False)])
    assert seen.asked.tolist() == [1] * 20
    assert (seen.had_by(None), seen.after(1).measured.tolist(), seen.after(1).trials) == (1, [1] + [2] * 19, 2)


def test_fresh_trials_that_could_not_be_measured_confirm_nothing_and_are_not_asked_again() -> None:
    evidence = open_case(paired([SAME] * 94 + [LOST] * 6))
    for measured, had in ((0, 0), (94, 0), (95, 1)):
        fresh = [FreshTrial(f"case-{number}", 1, number < 94 if number < measured else None) for number in range(100)]
        seen = with_fresh(evidence, fresh)
        assert seen.had_by(None) == had
        decided = decide(seen, Gate(), may_ask=False)
        assert isinstance(decided, Decided)
        assert decided.fresh_trials == had
        if not had:
            assert decided.verdict is Verdict.INCONCLUSIVE
            assert "could not be had" in decided.cause
            assert decide(seen, Gate()) == MoreTrials(case_ids=None, up_to_trials=1)


def rows_of_cases() -> st.SearchStrategy[list[Row]]:
    base = st.integers(0, 5)
    row = st.tuples(base, st.just(5), st.integers(0, 1), st.just(1))
    return st.lists(row | st.sampled_from([LOST, GAINED, SAME, SAME]), min_size=1, max_size=40)


def fresh_outcomes(rows: list[Row], data: st.DataObject) -> np.ndarray:
    seed = data.draw(st.integers(0, 2**32 - 1))
    rates = np.array([0.9 if row[2] else 0.1 for row in rows])
    return np.random.default_rng(seed).random((len(rows), 8)) < rates[:, None]


@settings(deadline=None, max_examples=200)
@given(rows_of_cases(), st.data())
def test_one_more_success_never_raises_the_alarm(rows: list[Row], data: st.DataObject) -> None:
    outcomes = fresh_outcomes(rows, data)
    case, trial = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 8))
    better, more = list(rows), outcomes.copy()
    if trial == 0:
        base_passed, base_trials, _, trials = rows[case]
        better[case] = (base_passed, base_trials, trials, trials)
    else:
        more[case, trial - 1] = True
    before = asked_until(open_case(paired(rows)), again=lambda id_, k: bool(outcomes[int(id_[5:]), k - 1]))[0]
    after = asked_until(open_case(paired(better)), again=lambda id_, k: bool(more[int(id_[5:]), k - 1]))[0]
    if before.verdict is not Verdict.REGRESSED:
        assert after.verdict is not Verdict.REGRESSED


@settings(deadline=None)
@given(rows_of_cases(), st.randoms(use_true_random=False))
def test_the_order_of_cases_is_irrelevant(rows: list[Row], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = (asked_until(open_case(paired(some)))[0] for some in (rows, shuffled))
    assert (one.verdict, one.drop_pp, one.churn) == (other.verdict, other.drop_pp, other.churn)
    assert one.p_value == pytest.approx(other.p_value)


@settings(deadline=None)
@given(rows_of_cases())
def test_where_no_loss_shows_the_screen_would_not_have_fired(rows: list[Row]) -> None:
    """What spares most tests of a night: a result no worse than expected has a mid-p of at least a quarter."""
    sides = open_case(paired(rows)).sides(None, 0)
    if sides.shows_no_loss:
        assert sides.tails.lower_mid >= 0.25 * (1 - 1e-9)


@pytest.mark.skipif(not LLMDRIFT.exists(), reason="the published answers are not here")
def test_gpt_4_is_named_with_the_primes_it_lost_and_the_composites_it_gained() -> None:
    lines = [json.loads(line) for line in gzip.decompress(LLMDRIFT.read_bytes()).splitlines()]
    passed = {(row["model"], row["id"]): paper_says(row["answer"]) == row["reference"].lower() for row in lines}
    kinds = {row["id"]: "primes" if row["reference"].lower() == "yes" else "composites" for row in lines}
    rows: list[Row] = [(passed["gpt-4-0314", id], 1, passed["gpt-4-0613", id], 1) for id in kinds]
    decided, _ = asked_until(open_case(paired(rows), kinds=list(kinds.values())))
    assert decided.verdict is Verdict.REGRESSED
    assert decided.cause.endswith("primes 97.6 → 2.4 %, composites 70.4 → 99.8 %")
    assert decided.churn == (476, 147)
