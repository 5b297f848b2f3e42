"""The simulation's own arithmetic: a study that counts wrongly proves nothing."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.study.accuracy import crossing
from tests.study.experiments import found_by, tables_of
from tests.study.figure import power_chart
from tests.study.nights import draw, play
from tests.study.suites import NOISES, shifted, slices_of_suite, spread, stopped
from tests.study.tables import clopper_pearson_upper


def test_clopper_pearson_matches_published_bounds() -> None:
    assert clopper_pearson_upper(0, 20) == pytest.approx(0.1684, abs=5e-5)
    assert clopper_pearson_upper(81, 263) == pytest.approx(0.3676, abs=5e-5)
    assert clopper_pearson_upper(5, 5) == 1


def test_suites_are_as_noisy_as_they_say() -> None:
    rates = NOISES["15 % flaky"](np.random.default_rng(1), 200_000)
    assert float((rates * (1 - rates)).mean()) == pytest.approx(0.03, abs=5e-4)
    assert float((rates == 1).mean()) == pytest.approx(0.8, abs=0.005)


def test_changes_move_the_mean_by_what_they_say() -> None:
    generator = np.random.default_rng(2)
    rates = NOISES["30 % flaky"](generator, 1000)
    assert rates.mean() - stopped(generator, rates, 60).mean() == pytest.approx(0.06)
    assert rates.mean() - spread(generator, rates, 0.06).mean() == pytest.approx(0.06)
    assert shifted(np.array([0.0, 0.5, 1.0]), np.log(3)) == pytest.approx([0, 0.75, 1])


def test_a_night_counts_the_calls_that_the_rule_asked_for() -> None:
    generator = np.random.default_rng(3)
    sure = np.ones(100)
    quiet = play(generator, draw(generator, sure, 5), sure, slices=slices_of_suite(100))
    lost = play(generator, draw(generator, sure, 5), stopped(generator, sure, 20), slices=slices_of_suite(100))
    assert (quiet.calls_per_case, quiet.decided.verdict) == (1.0, "unchanged")
    assert (lost.calls_per_case, lost.decided.verdict) == (2.0, "regressed")


def test_an_experiment_finds_the_same_again_also_from_what_was_kept() -> None:
    names = ("alerts-50-15-flaky", "detectable-excluded")
    found = {name: found_by(name, 7, 40) for name in names}
    kept = json.loads(json.dumps({name: found_by(name, 7, 40) for name in names}))
    assert list(map(str, tables_of(kept))) == list(map(str, tables_of(found)))
    assert found_by(names[0], 8, 40) != found[names[0]]


def test_the_figure_is_a_picture_with_one_line_per_rule() -> None:
    curves = {name: [0.0, 0.5, 1.0] for name in ("naive ≥ 3 pp", "naive > 3 pp", "plain McNemar", "this rule")}
    picture = ElementTree.fromstring(power_chart(curves, (0, 2, 4)))
    drawn = {group.get("id"): group for group in picture.iter("{http://www.w3.org/2000/svg}g")}
    paths = [drawn[f"rule-{number}"].find("{http://www.w3.org/2000/svg}path") for number in range(4)]
    assert all(path is not None and path.get("d") for path in paths)
    assert set(curves) <= set(picture.itertext())


def test_a_crossing_lies_between_the_drops_beside_it() -> None:
    assert crossing([4, 5, 6], [0.5, 0.7, 0.9], 0.8) == pytest.approx(5.5)
