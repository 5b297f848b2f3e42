"""Which measured model may take the place of one that retires."""

from typing import Any

import numpy as np
import pytest

from tasks.config import Gate
from tasks.lifecycle.replacement import Measured, advise
from tasks.records import Interval, WantedComparison
from tasks.verdicts.compare import Paired
from tasks.verdicts.evidence import open_case
from tasks.verdicts.replaceable import replaceable


def measured(
    model: str,
    *,
    suite: str = "triage",
    holds: bool = True,
    cost: float | None = 1.0,
    drop: float = -0.4,
    p95: float = 0,
) -> Measured:
    return Measured(suite, model, drop, Interval(drop - 1.6, drop + 1.6), holds, 3, (), cost, p95)


def test_the_cheapest_that_holds_comes_first_then_the_quickest() -> None:
    cheap, quick = measured("cheap", cost=0.6, p95=120), measured("quick", cost=0.6, p95=-40)
    assert advise(["triage"], [measured("dear", drop=-9), cheap], ()).replacement == "cheap"
    assert advise(["triage"], [cheap, quick], ()).replacement == "quick"
    assert advise(["triage"], [measured("unpriced", cost=None), cheap], ()).replacement == "cheap"


def test_one_that_loses_too_much_is_never_advised_only_shown() -> None:
    bad = measured("cheap", holds=False, cost=0.1, drop=7.8)
    advice = advise(["triage"], [bad, measured("good", cost=2)], ())
    assert (advice.replacement, advice.is_ready) == ("good", True)
    alone = advise(["triage"], [bad], ())
    assert (alone.replacement, alone.is_ready) == (None, False)
    [line] = alone.lines
    assert line == (
        "Nearest measured: cheap, triage drop +7.8 pp (+6.2 to +9.4), 0.1 × the cost per action, p95 +0 ms. "
        "A loss of 3 pp is not excluded on triage."
    )


def test_the_advice_reads_like_a_colleagues() -> None:
    one = measured("y", cost=0.6, p95=120)._replace(loses=("refunds",))
    missing = WantedComparison("z", "y", 1.2, "daybreak compare --candidate y --baseline x --suite z")
    advice = advise(["triage", "z"], [one], [missing])
    assert (advice.replacement, advice.is_ready) == ("y", False)
    assert " ".join(advice.lines) == (
        "Best measured replacement: y, triage drop −0.4 pp (−2.0 to +1.2), 0.6 × the cost per action, p95 +120 ms; "
        "it loses on refunds. "
        "Nothing measured yet for z: comparison with y planned, $1.20 "
        "(daybreak compare --candidate y --baseline x --suite z)."
    )


def test_nothing_measured_is_no_advice() -> None:
    assert advise(["triage"], [], ()) == (None, False, ())


@pytest.mark.parametrize(
    ("lost", "candidates", "holds"), [(0, 1, True), (0, 50, True), (20, 1, True), (24, 1, False), (20, 50, False)]
)
def test_a_margin_is_held_with_the_error_of_all_candidates_together(lost: int, candidates: int, holds: Any) -> None:
    n = 1000
    base, now = np.ones(n, dtype=np.int64), np.ones(n, dtype=np.int64)
    now[:lost] = 0
    ones = np.ones(n, dtype=np.int64)
    paired = Paired([str(i) for i in range(n)], base, ones, now, ones, n, n)
    tags = [["refunds"] if i < 30 else ["other"] for i in range(n)]
    found = replaceable(open_case(paired, kinds=["accuracy"] * n, tags=tags), Gate(), candidates=candidates)
    assert found is not None
    assert (found.holds, round(found.drop_pp, 1)) == (holds, lost / 10)
    assert found.loses == (("refunds",) if lost else ())


def test_too_little_in_common_is_nothing_measured() -> None:
    ones = np.ones(4, dtype=np.int64)
    paired = Paired(list("abcd"), ones, ones, ones, ones, 10, 10)
    assert replaceable(open_case(paired), Gate(), candidates=1) is None
