"""What a night says in Slack, through the whole product."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.provider import FakeProvider, refused
from tests.fakes.slack import FakeSlack, failing
from tests.fakes.slack import refused as slack_refused
from tests.fakes.slack_limits import problems_of
from tests.flows.lab import Lab, broken_below, right, wrong_below

pytestmark = pytest.mark.usefixtures("prefect_server")
POST = "chat.postMessage"


class Team(Lab):
    """A lab whose config names a channel."""

    def __init__(self, root: Path, provider: FakeProvider, slack: FakeSlack) -> None:
        super().__init__(root, provider)
        self.slack = slack
        with (root / ".env").open("a") as env:
            env.write(f"SLACK_BOT_TOKEN={slack.token}\n")
        self.config()

    def config(self, models: Any = None, more: str = "") -> None:
        slack = (
            f"slack: {{channel: '#llm-evals', api_url: '{self.slack.url}'{more}}}\n" if hasattr(self, "slack") else ""
        )
        super().config(models, slack)

    @property
    def posts(self) -> list[str]:
        """Everything in the channel, as text."""
        return [json.dumps(message, ensure_ascii=False) for message in self.slack.messages]


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with FakeProvider() as provider, FakeSlack() as slack:
        provider.answer("*", right)
        yield Team(tmp_path, provider, slack)


def test_quiet_nights_say_nothing_and_a_regression_says_drop_interval_n_and_three_cases(team: Team) -> None:
    team.run("nightly")
    team.run("nightly")
    assert team.posts == []
    team.provider.answer("*", wrong_below(8))
    night = team.run("nightly")
    assert night.exit_code == 1
    [post] = team.posts
    assert not list(problems_of(team.slack.messages[0]["blocks"]))
    for words in ("sums on small", "40", "20 of 20", "c000", "c001", "c002", "no idea", night.data["run_id"]):
        assert words in post
    assert "c003" not in post
    assert night.data["message"] is None, "what Slack has is not printed"


@pytest.mark.slow
def test_a_regression_is_one_thread_from_its_beginning_to_its_end(team: Team) -> None:
    team.run("nightly")
    team.provider.answer("*", wrong_below(8))
    for _ in range(2):
        team.run("nightly")
    team.provider.answer("*", right)
    team.run("nightly")
    first, goes_on, resolved = team.slack.messages
    assert {goes_on["thread_ts"], resolved["thread_ts"]} == {first["ts"]}
    assert first["text"].startswith("Resolved: sums on small lost 40.0 points")
    assert "Night 2: goes on." in goes_on["text"]
    assert (goes_on.get("reply_broadcast"), resolved["reply_broadcast"]) == (None, True)
    assert team.slack.edits == {first["ts"]: 1}
    [row] = team.sql("SELECT suite, model, kind, state, n_rows FROM incidents")
    assert row == {"suite": "sums", "model": "small", "kind": "regression", "state": "resolved", "n_rows": 1}
    before = team.sql("SELECT * FROM incident_events ORDER BY recorded_at")
    team.run("rebuild")
    assert team.sql("SELECT * FROM incident_events ORDER BY recorded_at") == before


@pytest.mark.slow
def test_an_acknowledged_incident_is_quiet_and_its_thread_says_until_when(team: Team) -> None:
    team.run("nightly")
    assert team.run("alerts", "preview").data["messages"] == []
    team.provider.answer("*", wrong_below(8))
    team.run("nightly")
    [first] = team.slack.messages
    [previewed] = team.run("alerts", "preview").data["messages"]
    assert previewed["blocks"] == [block for block in first["blocks"] if block["type"] != "image"]
    incident, until = previewed["incident_id"], datetime.now(UTC).date() + timedelta(days=3)
    assert team.run("alerts", "ack", "inc-other").exit_code == 2
    assert team.run("alerts", "ack", incident, "--until", "2020-01-01").exit_code == 2
    assert team.run("alerts", "ack", incident, "--until", str(until)).data["undelivered"] == []
    assert first["text"].startswith("Acknowledged: sums on small lost 40.0 points")
    assert f"Acknowledged until {until.day} {until:%B %Y}." in team.slack.messages[1]["text"]
    [known] = team.run("alerts", "preview").data["messages"]
    assert f"Acknowledged until {until.day} {until:%B %Y}." in known["text"]
    assert ("alerts ack" in previewed["text"], "alerts ack" in known["text"]) == (True, False)
    assert team.run("nightly").exit_code == 1, "it is no better for that"
    assert len(team.slack.messages) == 2
    assert [row["state"] for row in team.sql("SELECT state FROM incidents")] == ["acknowledged"]


def test_unmeasured_cells_are_told_with_their_reason(team: Team) -> None:
    team.run("nightly")
    team.provider.answer("*", broken_below(6, refused(400, "Bad luck.")))
    assert team.run("nightly").exit_code == 3
    [post] = team.posts
    assert "14 of 20 cases were measured" in post
    assert "bad request" in post


def test_a_night_whose_message_was_not_delivered_says_so_and_the_next_night_delivers_it_once(team: Team) -> None:
    team.run("nightly")
    team.provider.answer("*", broken_below(6, refused(400, "Bad luck.")))
    team.slack.script(POST, then=slack_refused("channel_not_found"))
    unheard = team.run("nightly")
    assert unheard.exit_code == 3
    assert "channel_not_found" in str(unheard.data["undelivered"])
    assert "14 of 20" in unheard.data["message"], "what Slack has not got is printed"
    team.slack.script(POST)
    team.provider.answer("*", right)
    quiet = team.run("nightly")
    assert (quiet.exit_code, quiet.data["undelivered"], quiet.data["message"]) == (0, [], None)
    first, reply = team.slack.messages
    assert first["text"].startswith("Resolved: sums on small unmeasured")
    assert reply["thread_ts"] == first["ts"]
    assert reply["metadata"]["event_payload"]["incident"] == first["metadata"]["event_payload"]["incident"]


@pytest.mark.slow
def test_what_waits_for_slack_is_printed_once_where_the_config_names_no_channel_any_more(team: Team) -> None:
    team.run("nightly")
    team.provider.answer("*", broken_below(6, refused(400, "Bad luck.")))
    team.slack.script(POST, then=slack_refused("channel_not_found"))
    assert team.run("nightly").exit_code == 3
    team.provider.answer("*", right)
    Lab.config(team)
    printed = team.run("nightly")
    assert (printed.exit_code, printed.data["undelivered"]) == (0, [])
    assert "14 of 20" in printed.data["message"]
    quiet = team.run("nightly")
    assert (quiet.exit_code, quiet.data["message"]) == (0, None)


@pytest.mark.slow
def test_a_regression_that_slack_did_not_hear_of_still_ends_with_1(team: Team) -> None:
    team.run("nightly")
    team.provider.answer("*", wrong_below(8))
    team.slack.script(POST, then=slack_refused("invalid_auth"))
    night = team.run("nightly")
    assert night.exit_code == 1
    assert night.data["undelivered"]


@pytest.mark.slow
def test_a_post_that_failed_half_way_is_not_repeated_where_it_arrived(team: Team) -> None:
    team.run("nightly")
    team.provider.answer("*", wrong_below(8))
    team.slack.script(POST, failing(500, takes=True))
    night = team.run("nightly")
    assert night.data["undelivered"] == []
    assert len(team.posts) == 1


def test_outputs_stay_out_of_slack_where_excerpts_are_off(team: Team) -> None:
    team.config(more=", excerpts: false")
    team.run("nightly")
    team.provider.answer("*", wrong_below(8))
    team.run("nightly")
    [post] = team.posts
    assert "c000" in post
    assert "no idea" not in post


def test_nothing_that_a_model_wrote_mentions_links_or_formats(team: Team) -> None:
    team.run("nightly")
    hostile = "<!channel> <@U1> `code` *bold* https://evil.example \u202egnirts " + "x" * 10_000
    team.provider.answer("*", lambda request: hostile)
    assert team.run("nightly").exit_code == 1
    [message] = team.slack.messages
    assert not list(problems_of(message["blocks"]))
    post = json.dumps(message, ensure_ascii=False)
    for harm in ("<!channel>", "<@U1>", "https://evil", "\u202e"):
        assert harm not in post


def test_a_retirement_is_told_once_when_it_reaches_a_notice_level(team: Team) -> None:
    soon = (datetime.now(UTC) + timedelta(days=25)).date()
    team.config({"small": f"retires_on: {soon}"})
    assert team.run("nightly").exit_code == 0
    [post] = team.posts
    assert "retires in 25 days" in post
    assert "sums" in post
    team.run("nightly")
    assert len(team.posts) == 1
    [listed] = team.run("watch").data["retirements"]
    assert (listed["days_left"], listed["source"], listed["suites"]) == (25, "config", ["sums"])
    [row] = team.sql("SELECT model, days_left, source FROM retirements")
    assert row == {"model": "small", "days_left": 25, "source": "config"}


@pytest.mark.slow
def test_a_night_that_was_killed_is_told_by_the_watch_and_is_over_with_the_next_night(team: Team) -> None:
    team.run("nightly")
    [finished] = sorted((team.root / "results" / "runs").iterdir())
    killed = finished.with_name("run-29990101-020000-dead")
    killed.mkdir()
    (killed / "plan.json").write_bytes((finished / "plan.json").read_bytes())
    watch = team.run("watch")
    assert (watch.exit_code, watch.data["undelivered"]) == (0, [])
    [first] = team.slack.messages
    assert first["text"].startswith("The night run-29990101-020000-dead did not come to its end")
    team.run("watch")
    assert len(team.slack.messages) == 1, "it is told once"
    shutil.rmtree(killed)
    team.run("nightly")
    assert team.slack.messages[0]["text"].startswith("Resolved: The night run-29990101")
    assert [row["kind"] for row in team.sql("SELECT kind FROM incidents")] == ["night"]


@pytest.mark.slow
def test_an_alert_that_did_not_arrive_is_an_incident_until_it_does(team: Team) -> None:
    team.run("nightly")
    team.provider.answer("*", wrong_below(8))
    team.slack.script(POST, then=slack_refused("channel_not_found"))
    night = team.run("nightly")
    assert "not delivered to Slack" in Path(night.data["report"]).read_text("utf-8")
    state = "SELECT state FROM incidents WHERE kind = 'alert undelivered'"
    assert team.sql(state) == [{"state": "open"}]
    team.slack.script(POST)
    team.run("nightly")
    assert team.sql(state) == [{"state": "resolved"}]
    assert [text["text"].partition(" ")[0] for text in team.slack.messages] == ["sums", "Night"]


def test_a_comparison_tells_slack_only_when_it_is_asked_to(team: Team) -> None:
    team.config({"small": "", "large": ""})
    team.provider.answer("large", wrong_below(9))
    team.run("nightly", "--model", "small")
    assert team.run("compare", "--candidate", "large", "--baseline", "small").exit_code == 1
    assert team.posts == []
    team.run("compare", "--candidate", "large", "--baseline", "small", "--notify")
    assert len(team.posts) == 1
