"""Nights judged by a panel over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.judges import verdict
from tests.fakes.provider import FakeProvider, Received, Reply, said
from tests.flows.judged_lab import JUDGED, Asked, JudgedLab, asked_in, by_the_label, is_probe, only

pytestmark = pytest.mark.usefixtures("prefect_server")

NAMES = ("ant", "bee", "cat")


class PanelLab(JudgedLab):
    """The same suite, judged by three."""

    def seat(self, **replies: Callable[[Asked], str]) -> None:
        key = f"api_base: '{self.provider.url}', api_key_env: LAB_KEY"
        judges = ", ".join(f"{{name: {name}, model: openai/{name}, {key}}}" for name in NAMES)
        self.config(more=f"judges: [{judges}]\n")
        self.suite(JUDGED.replace("owl", f"[{', '.join(NAMES)}]"))
        for name, reply in replies.items():
            self.provider.answer(name, answered(reply))


def answered(reply: Callable[[Asked], str]) -> Callable[[Received], Reply]:
    return lambda request: said("OK" if is_probe(request) else reply(asked_in(request)))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[PanelLab]:
    with FakeProvider() as provider:
        yield PanelLab(tmp_path, provider, n=4)


def test_one_judge_of_three_that_errs_changes_nothing_and_is_named(lab: PanelLab) -> None:
    lab.seat(ant=by_the_label, bee=by_the_label, cat=lambda _: verdict("fail", "I never like it."))
    night = lab.run("nightly")
    assert (only(night)["verdict"], only(night)["pass_rate"]) == ("pinned", 1)
    [score] = lab.sql("SELECT DISTINCT passed, round(value, 2) AS agreed, reason FROM scores")
    assert (score["passed"], score["agreed"]) == (True, 0.67)
    assert "cat: fail (I never like it.)" in score["reason"]
    asked = lab.sql("SELECT requested_model, count(*) AS n FROM calls WHERE role = 'judge' GROUP BY 1 ORDER BY 1")
    assert asked == [{"requested_model": f"openai/{name}", "n": lab.n} for name in NAMES]


def test_a_tied_panel_fails_no_case(lab: PanelLab) -> None:
    lab.seat(ant=by_the_label, bee=lambda _: verdict("fail"), cat=lambda _: "I cannot say.")
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"]) == (3, "unmeasured")
    [score] = lab.sql("SELECT DISTINCT passed, reason FROM scores")
    assert score["passed"] is None
    assert score["reason"].startswith("the panel is tied: ant: pass")


def test_a_judge_of_a_panel_that_the_config_does_not_have_is_named(lab: PanelLab) -> None:
    lab.seat()
    lab.suite(JUDGED.replace("owl", "[ant, bea]"))
    [problem] = lab.run("check").data["problems"]
    assert problem["message"] == "scorer 'judge': expected a judge of the config, got 'bea'"
    assert problem["hint"] == "did you mean 'bee'?"


def test_a_judge_with_two_votes_is_refused(lab: PanelLab) -> None:
    lab.seat()
    lab.suite(JUDGED.replace("owl", "[ant, ant]"))
    [problem] = lab.run("check").data["problems"]
    assert "one that is named twice has two votes" in problem["message"]
