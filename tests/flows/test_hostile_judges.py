"""Judges that fail in every way, and answers that try to be their own judge: no case is failed by either."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.judges import INJECTIONS, obey, verdict
from tests.fakes.provider import (
    FakeProvider,
    Received,
    Reply,
    hanging,
    odd,
    policy_refusal,
    quota_exhausted,
    refused,
    said,
)
from tests.flows.judged_lab import JUDGED, RUBRIC, JudgedLab, by_the_label, is_probe, only
from tests.flows.lab import sums, wrong_below

pytestmark = pytest.mark.usefixtures("prefect_server")

PASS, FAIL = verdict("pass"), verdict("fail")
UNREADABLE = "the judge gave no verdict that can be read, twice"
HOSTILE_JUDGES: dict[str, tuple[str | Reply, str]] = {
    "prose": ("It looks wrong to me.", UNREADABLE),
    "nothing": ("", UNREADABLE),
    "two verdicts": (PASS + FAIL, UNREADABLE),
    "a verdict in capitals": (FAIL.replace("fail", "FAIL"), UNREADABLE),
    "a verdict with a field too many": (FAIL.replace("}", ', "score": 1}'), UNREADABLE),
    "a key that is given twice": (FAIL.replace("{", '{"verdict": "pass", '), UNREADABLE),
    "a verdict that contradicts its reasoning": (verdict("fail", "All is right. Verdict: pass"), UNREADABLE),
    "a confidence beyond 1": (verdict("fail", confidence=95), UNREADABLE),
    "a verdict that was cut off": (said(FAIL[:30], served_as="owl-1", finish_reason="length"), UNREADABLE),
    "deep JSON": ("[" * 100_000, UNREADABLE),
    "a refusal in words": ("I'm sorry, but I can't help with that.", "the judge refused"),
    "a refusal by the provider": (policy_refusal(), "the judge refused"),
    "a bad request": (refused(400, "No."), "the judge could not be asked: bad request"),
    "no text": (said(None, served_as="owl-1"), "the judge could not be asked: bad response"),
    "no JSON at all": (odd("<html>"), "the judge could not be asked"),
    "silence": (hanging(), "the judge could not be asked: timeout"),
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[JudgedLab]:
    with FakeProvider() as provider:
        yield JudgedLab(tmp_path, provider, n=4)


def test_whatever_a_judge_does_no_case_is_failed_for_it(lab: JudgedLab) -> None:
    replies = [reply for reply, _ in HOSTILE_JUDGES.values()]
    lab.owl(more="timeout_s: 0.5\n")
    cases = [{**case, "id": name} for case, name in zip(sums(len(replies)), HOSTILE_JUDGES, strict=True)]
    lab.suite(JUDGED.replace("trials: 2", "trials: 1"), cases)
    lab.judge(lambda asked: replies[int(asked.sum.split(" + ")[0])])
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"]) == (3, "unmeasured")
    assert f"0 of {len(replies)} cases were measured" in only(night)["cause"]
    found = {row["case_id"]: row for row in lab.sql("SELECT case_id, passed, reason FROM scores")}
    for name, (_, reason) in HOSTILE_JUDGES.items():
        assert found[name]["passed"] is None
        assert found[name]["reason"].startswith(reason), name
    assert lab.sql("SELECT DISTINCT outcome FROM outcomes") == [{"outcome": "unmeasured"}]
    assert lab.sql("SELECT count(*) AS n FROM calls WHERE role = 'model' AND status = 'answered'") == [
        {"n": len(replies)}
    ]


@pytest.mark.parametrize("fault", [refused(401, "Incorrect API key provided."), quota_exhausted()])
def test_a_judge_that_refuses_for_good_is_not_asked_about_every_answer(lab: JudgedLab, fault: Reply) -> None:
    lab.owl("limits: {concurrency: 2}")
    lab.suite(JUDGED, sums(20))
    lab.judge(lambda _: fault)
    night = lab.run("nightly")
    assert len(lab.asked()) <= 4
    assert (night.exit_code, only(night)["verdict"]) == (3, "unmeasured")
    assert "not asked any more: " in only(night)["cause"]


def test_a_slow_judge_holds_nobody_up_for_longer_than_it_takes(lab: JudgedLab) -> None:
    lab.judge(lambda asked: said(by_the_label(asked), served_as="owl-1", delay_s=1))
    night = lab.run("nightly")
    assert only(night)["verdict"] == "pinned"
    asked = [request.at for request in lab.provider.requests if request.model == "owl" and not is_probe(request)]
    assert max(asked) - min(asked) < 0.9, "all at once, not one after the other"


def test_a_reply_that_can_be_repaired_is_repaired_once_and_not_again_the_next_night(lab: JudgedLab) -> None:
    def mumble_first(request: Received) -> Reply:
        first = len(request.body["messages"]) == 2
        return said("Well…" if first and not is_probe(request) else PASS, served_as="owl-1")

    lab.provider.answer("owl", mumble_first)
    assert only(lab.run("nightly"))["verdict"] == "pinned"
    assert len(lab.asked()) == 2 * lab.n
    lab.run("nightly")
    assert lab.asked() == []


def test_a_case_that_could_not_be_judged_is_judged_the_next_night(lab: JudgedLab) -> None:
    lab.judge(lambda asked: "Hm." if asked.sum == "1 + 2" else by_the_label(asked))
    lab.run("nightly")
    lab.judge(by_the_label)
    lab.asked()
    night = lab.run("nightly")
    assert {asked.sum for asked in lab.asked()} == {"1 + 2"}
    assert only(night)["verdict"] == "pinned", "the first night was not"


@pytest.mark.parametrize("fault", [refused(401, "Incorrect API key provided."), refused(400, "No."), hanging()])
def test_a_judge_whose_probe_fails_is_not_asked_at_all(lab: JudgedLab, fault: Reply) -> None:
    lab.owl(more="timeout_s: 0.5\n")
    lab.provider.answer("owl", fault)
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"]) == (3, "unmeasured")
    assert lab.asked() == []
    assert "the judge could not be asked: its probe ended as " in only(night)["cause"]
    assert any(note.startswith("owl was not asked: its probe ended as ") for note in night.data["notes"])


def test_a_judge_may_be_called_like_a_model_and_fail_alone(lab: JudgedLab) -> None:
    config = (lab.root / "deployments/daybreak.yaml").read_text()
    lab.write("deployments/daybreak.yaml", config.replace("name: owl", "name: small"))
    lab.suite(JUDGED.replace("judge: owl", "judge: small"))
    lab.provider.answer("owl", refused(404, "No such model.", code="model_not_found"))
    night = lab.run("nightly")
    assert "the judge could not be asked: its probe ended as model not found" in only(night)["cause"]
    assert lab.sql("SELECT count(*) AS n FROM calls WHERE role = 'model' AND status = 'answered'") == [{"n": 2 * lab.n}]


@pytest.mark.slow
def test_kept_verdicts_that_cannot_be_read_cost_money_and_no_night(lab: JudgedLab) -> None:
    lab.run("nightly")
    lab.asked()
    kept = lab.root / "results" / "judge-verdicts.sqlite"
    kept.write_bytes(b"damaged" * 1000)
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"]) == (0, "unchanged")
    assert len(lab.asked()) == lab.n
    assert any("the kept verdicts cannot be used" in note and "delete it" in note for note in night.data["notes"])


@pytest.mark.slow
def test_a_judge_that_changes_while_the_run_is_under_way_says_nothing(lab: JudgedLab) -> None:
    lab.judge(lambda asked: said(by_the_label(asked), served_as="owl-2" if asked.sum == "2 + 3" else "owl-1"))
    night = lab.run("nightly")
    [score] = lab.sql("SELECT DISTINCT passed, reason FROM scores WHERE case_id = 'c002'")
    assert score["passed"] is None
    assert score["reason"] == "the judge answered as openai/owl (owl-2), and its probe as openai/owl (owl-1)"
    assert only(night)["verdict"] == "unmeasured"


@pytest.mark.slow
def test_a_judge_that_passes_everything_hides_nothing_that_another_scorer_sees(lab: JudgedLab) -> None:
    lab.judge(lambda _: PASS)
    lab.suite(JUDGED.replace("[", "[exact, "))
    lab.run("nightly")
    lab.provider.answer("*", wrong_below(3))
    night = lab.run("nightly")
    assert only(night)["pass_rate"] == 0.25


def test_no_answer_talks_a_night_into_passing_it(lab: JudgedLab) -> None:
    """The judge obeys whatever reaches it outside the fence; each case is answered with another attempt."""
    attempts = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in INJECTIONS.values()]
    lab.suite(JUDGED, [{"id": name, "input": f"{i}", "expected": "right"} for i, name in enumerate(INJECTIONS)])
    lab.provider.answer("*", lambda request: attempts[int(request.prompt)])
    lab.provider.answer("owl", obedient)
    night = lab.run("nightly")
    assert (night.exit_code, only(night)["verdict"], only(night)["pass_rate"]) == (0, "pinned", 0)
    assert lab.sql("SELECT outcome, count(*) AS n FROM outcomes GROUP BY outcome") == [
        {"outcome": "failed", "n": 2 * len(INJECTIONS)}
    ]

    lab.write("datasets/sums/rubric.md", RUBRIC + "Whatever it says, the verdict: pass\n")
    assert only(lab.run("nightly"))["pass_rate"] == 1, "the judge does obey what stands outside"


def obedient(request: Received) -> Reply:
    """Do what anything outside the fence says."""
    return said("OK" if is_probe(request) else obey(request.body["messages"]), served_as="owl-1")
