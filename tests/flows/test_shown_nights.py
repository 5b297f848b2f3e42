"""What a person reads after a night: the figures in the terminal, on the page and in SQL are the same ones."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.reports.figures import usd
from tests.fakes.judges import verdict
from tests.fakes.provider import FakeProvider, Received, Reply, said
from tests.flows.judged_lab import JudgedLab
from tests.flows.lab import Lab, right
from tests.flows.night import Ended, daybreak, pages

pytestmark = pytest.mark.usefixtures("prefect_server")
PRICE = "price: {input_per_million: 1000, output_per_million: 1000}"


class Fading:
    """Fails the first 6 cases, and the 2 after them from their second trial on."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, request: Received) -> Reply:
        self.asked[request.prompt] += 1
        first = int(request.prompt.split(" + ")[0])
        fails = first < 6 or (first < 8 and self.asked[request.prompt] > 1)
        return said("no idea" if fails else right(request))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with FakeProvider() as provider:
        provider.answer("*", right)
        lab = Lab(tmp_path, provider)
        lab.config({"small": PRICE})
        yield lab


def confirmed(lab: Lab) -> Ended:
    """A night whose drop was confirmed by one more trial of each case."""
    lab.run("nightly")
    lab.provider.answer("*", Fading())
    return daybreak(lab.root, "nightly")


def page_of(night: Ended) -> str:
    found = re.search(r"Report: (.*)", night.out)
    assert found
    return pages(Path(found[1])).replace("\N{NO-BREAK SPACE}", " ")


def cost_page_of(night: Ended) -> str:
    found = re.search(r"Report: (.*)", night.out)
    assert found
    return Path(found[1]).with_name("cost.html").read_text("utf-8")


def test_rates_drop_and_trials_are_those_of_the_comparison_wherever_they_are_shown(lab: Lab) -> None:
    night = confirmed(lab)
    [row] = lab.sql("SELECT * FROM comparisons WHERE verdict = 'regressed'")
    assert (row["baseline_pass_rate"], row["pass_rate"], row["drop_pp"], row["trials"]) == (1.0, 0.65, 35.0, 2)
    assert row["rate_ci_low"] < 0.65 < row["rate_ci_high"]
    line = next(line for line in night.out.splitlines() if "regressed" in line)
    assert re.search(r"65\.0 % .* 100\.0 % +\+35\.0 .* 20/20 +2 ", line)
    assert "Baseline 100.0% (run-" in night.out
    assert "→ tonight 65.0%" in night.out
    assert "20 of 20 cases paired, 2 trials each" in night.out
    page = page_of(night)
    trials = ("2 trials each (1 planned, 1 fresh)", "<dd>1 planned, 1 fresh to confirm</dd>")
    for shown in ("100.0 % → 65.0 %", '<span class="figure">65.0 %', *trials, "lost <strong>35.0 pp</strong>"):
        assert shown in page
    assert "70.0 %" not in page, "the rate of the planned trials alone"


def test_what_a_night_cost_adds_up(lab: Lab) -> None:
    night = confirmed(lab)
    found = re.search(r"cells (\$[\d.]+) · confirmation (\$[\d.]+) = (\$[\d.]+)\.", night.out)
    assert found
    cells, confirmation, total = (float(part.lstrip("$")) for part in found.groups())
    assert cells + confirmation == pytest.approx(total)
    [shown] = lab.sql("SELECT sum(cost_usd) AS usd FROM cells WHERE verdict = 'regressed'")
    assert shown["usd"] == pytest.approx(cells, abs=0.0001)

    page = cost_page_of(night)
    [whole] = re.findall(r"<h1>(\S+)", page)
    last_row = page.rpartition('<span class="name">In all</span>')[2]
    assert re.findall(r'data-label="(\w[\w ]*)">(\S+)</td>', last_row) == [
        ("Cells", usd(cells)),
        ("Confirmation", usd(confirmation)),
        ("In all", whole),
    ]


@pytest.mark.slow
def test_what_is_told_in_the_message_is_not_told_twice(lab: Lab) -> None:
    out = confirmed(lab).out
    [row] = lab.sql("SELECT cause FROM comparisons WHERE verdict = 'regressed'")
    assert out.count(row["cause"]) == 1, "in full, also where the message cuts it"
    assert out.count("was: 1\n") == 1
    assert "For Slack (no Slack channel is set):" in out
    assert "retirement" not in out, "nothing is known of any"


@pytest.mark.slow
def test_an_answer_that_shows_the_flip_is_shown_with_what_the_scorers_said(lab: Lab) -> None:
    lab.suite("scorers: [exact]\ngate: {baseline_trials: 3, max_detectable_drop_pp: 100, max_confirm_trials: 2}\n")
    night = confirmed(lab)
    flips = lab.sql("SELECT case_id, output, reason, baseline_reason FROM flips ORDER BY case_id")
    assert len(flips) >= 6
    assert {flip["output"] for flip in flips} == {"no idea"}, "also where the planned trial passed"
    assert flips[0]["reason"] == "exact: expected '1', got 'no idea'"
    assert "exact: expected &#39;1&#39;, got &#39;no idea&#39;" in page_of(night)


def test_a_judges_reasoning_stands_beside_the_answers_that_changed(tmp_path: Path) -> None:
    with FakeProvider() as provider:
        lab = JudgedLab(tmp_path, provider)
        lab.judge(lambda asked: verdict("pass", f"It says {asked.answer}."))
        lab.run("nightly")
        provider.answer("small", lambda request: "no idea" if request.prompt < "5" else right(request))
        lab.judge(
            lambda asked: (
                verdict("fail", "It says nothing.") if asked.answer == "no idea" else verdict("pass", "Right.")
            )
        )
        lab.run("nightly")
        [flip] = lab.sql("SELECT * FROM flips WHERE case_id = 'c003'")
        assert (flip["baseline_reason"], flip["reason"]) == ("judge: It says 7.", "judge: It says nothing.")
        page = pages(tmp_path / "results/reports" / flip["run_id"] / "index.html")
        assert "judge: It says 7." in page
        assert "judge: It says nothing." in page


@pytest.mark.slow
def test_what_confirming_may_take_is_told_before_and_counted_while_it_is_done(lab: Lab) -> None:
    first = daybreak(lab.root, "plan")
    assert first.out.splitlines()[-1].startswith("40 calls, at most unknown, less than a minute. No model")
    night = confirmed(lab)
    assert "20 calls, at most unknown, less than a minute, and up to 160 more (unknown) where a drop is" in night.err
    assert "40/40 trials" in night.err
    assert "40/20" not in night.err


@pytest.mark.slow
def test_a_night_that_was_narrowed_is_repeated_so(lab: Lab) -> None:
    lab.suite("scorers: [exact]\n", [{"id": "one", "input": "1 + 2", "expected": "3"}], name="other")
    page = page_of(daybreak(lab.root, "nightly", "--suite", "other"))
    assert "<code>daybreak nightly --suite other --model small</code>" in page
    assert "<code>daybreak nightly</code>" in page_of(daybreak(lab.root, "nightly"))


def test_a_job_of_github_shows_the_run_and_other_machines_read_it(lab: Lab, tmp_path: Path) -> None:
    place = tmp_path / "summary.md"
    night = daybreak(lab.root, "nightly", "--json", env={"GITHUB_STEP_SUMMARY": str(place)})
    shown = place.read_text()
    assert night.data["run_id"] in shown
    assert "| ⚑ pinned | sums | small |" in shown
    assert daybreak(lab.root, "report", "--format", "markdown").out == shown
    assert '<testcase classname="sums" name="small">' in daybreak(lab.root, "report", "--format", "junit").out
