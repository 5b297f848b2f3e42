"""From the outbox to Slack, through every fault: nothing is lost, and nothing is posted twice."""

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.alerts.delivery import DeliveryReport, Draft, Patience, deliver, is_set_up, keep
from tasks.alerts.message import Message, as_text
from tasks.alerts.outbox import Outbox, Queued
from tasks.alerts.outcomes import Posted
from tasks.config import SlackConfig
from tasks.errors import RunBroken
from tests.fakes.nights import RUN_ID, an_alert
from tests.fakes.provider import refusing_url
from tests.fakes.slack import FakeSlack, Step, dropped, failing, hanging, rate_limited, refused
from tests.fakes.slack_limits import problems_of

LATER_RUN, LATEST_RUN = "run-20270115-020000-a1b2", "run-20270116-020000-a1b2"
ALERT, LATER, LATEST = (an_alert(run_id) for run_id in (RUN_ID, LATER_RUN, LATEST_RUN))
QUICK = Patience(timeout_s=1, rate_limit_s=2, settle_s=0, other_process_s=0.3)
POST = "chat.postMessage"


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlack]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeSlack() as fake:
        yield fake


def send(
    results: Path, slack: FakeSlack, message: Message | None = ALERT, *, token: str | None = None, **config: Any
) -> DeliveryReport:
    """End a night; without a message a quiet one."""
    settings = SlackConfig(**{"channel": "#llm-evals", "api_url": slack.url, **config})
    return send_with(results, settings, slack.token if token is None else token, message, QUICK)


def send_with(
    results: Path, settings: SlackConfig, token: str, message: Message | None, patience: Patience
) -> DeliveryReport:
    """Keep a message and deliver what waits."""
    tonight = [message] if message else []
    if is_set_up(settings, token):
        keep(results, [Draft(one) for one in tonight])
    return deliver(results, settings, token, tonight, patience=patience)


def posted_ids(slack: FakeSlack) -> list[str]:
    """The ids of what is in the channels, oldest first."""
    return [message["metadata"]["event_payload"]["id"] for message in slack.messages]


def files(results: Path) -> list[str]:
    """The messages that the outbox holds."""
    found = (str(path.relative_to(results / "outbox")) for path in (results / "outbox").rglob("*.json"))
    return sorted(name for name in found if not name.startswith("threads/"))


def test_a_typical_night_arrives_as_blocks_with_a_text_and_without_unfolding_links(
    tmp_path: Path, slack: FakeSlack
) -> None:
    settings = SlackConfig(channel="#llm-evals", api_url=slack.url)
    report = send_with(tmp_path, settings, slack.token, ALERT, QUICK)
    [request] = slack.calls(POST)
    assert request.body == {
        "channel": "#llm-evals",
        "text": ALERT.text,
        "blocks": list(ALERT.blocks),
        "metadata": {"event_type": "daybreak_alert", "event_payload": {"id": ALERT.id, "incident": ALERT.thread}},
        "mrkdwn": False,
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
    }
    assert report.deliveries == ((ALERT.id, slack.messages[0]["ts"], ""),)
    assert report.undelivered == ()
    assert report.to_print == ()
    assert files(tmp_path) == [f"sent/{ALERT.id}.json"]
    sent = json.loads((tmp_path / "outbox" / "sent" / f"{ALERT.id}.json").read_bytes())
    assert (sent["ts"], sent["channel"]) == (slack.messages[0]["ts"], "C0LLMEVALS")


def test_a_quiet_night_asks_slack_nothing(tmp_path: Path, slack: FakeSlack) -> None:
    assert send(tmp_path, slack, None) == DeliveryReport()
    assert slack.requests == []


@pytest.mark.parametrize("missing", [{"channel": None}, {"token": ""}])
def test_without_channel_or_token_the_message_is_there_to_be_printed(
    tmp_path: Path, slack: FakeSlack, missing: dict[str, Any]
) -> None:
    report = send(tmp_path, slack, **missing)
    assert report.to_print == (ALERT,)
    assert as_text(ALERT).startswith("support-qa on gpt-4o-mini lost 12.4 points")
    assert report.undelivered == ()
    assert slack.requests == []
    assert not (tmp_path / "outbox").exists()


def test_the_same_night_is_posted_once(tmp_path: Path, slack: FakeSlack) -> None:
    send(tmp_path, slack)
    again = send(tmp_path, slack)
    assert (again.deliveries, again.to_print) == ((), ())
    assert posted_ids(slack) == [ALERT.id]


@pytest.mark.parametrize(
    "step",
    [
        rate_limited(0),
        rate_limited(None),
        failing(500),
        failing(500, takes=True),
        failing(503, body='{"ok":false,"error":"service_unavailable"}'),
        failing(502, takes=True),
        failing(200, body="<html>log in</html>"),
        failing(200, body="", takes=True),
        failing(200, body='{"ok": tr', takes=True),
        failing(200, body='{"ok": true}', takes=True),
        failing(200, body='["no", "object"]', takes=True),
        refused("internal_error"),
        Step(body='{"ok":false,"error":"fatal_error"}', takes=True),
        dropped(),
        dropped(takes=True),
        hanging(5),
        hanging(5, takes=True),
    ],
)
def test_a_passing_fault_delivers_exactly_once(tmp_path: Path, slack: FakeSlack, step: Step) -> None:
    slack.script(POST, step)
    report = send(tmp_path, slack)
    assert posted_ids(slack) == [ALERT.id]
    assert report.deliveries == ((ALERT.id, slack.messages[0]["ts"], ""),)
    assert files(tmp_path) == [f"sent/{ALERT.id}.json"]


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (refused("invalid_auth"), "invalid_auth: Slack does not know this token"),
        (refused("token_revoked"), "token_revoked: the token was revoked"),
        (refused("channel_not_found"), "channel_not_found: there is no such channel, or the app was not invited to it"),
        (refused("is_archived"), "is_archived: the channel is archived"),
        (refused("not_in_channel"), "not_in_channel: the app was not invited to the channel"),
        (refused("missing_scope", needed="chat:write"), "missing_scope: the token lacks the scope chat:write"),
        (refused("something_new"), "something_new"),
        (rate_limited(3600), "ratelimited: Slack asks to wait for longer than we do"),
        (rate_limited("Thu, 14 Jan 2027 02:00:00 GMT"), "ratelimited: Slack asks to wait for longer than we do"),
        (failing(404), "HTTP 404"),
    ],
)
def test_a_refusal_is_told_and_the_next_night_delivers_both_in_their_order(
    tmp_path: Path, slack: FakeSlack, step: Step, reason: str
) -> None:
    slack.script(POST, then=step)
    assert send(tmp_path, slack, LATER).undelivered == ((LATER.id, None, reason),)
    report = send(tmp_path, slack, LATEST)
    assert report.undelivered == ((LATER.id, None, reason), (LATEST.id, None, reason))
    assert report.to_print == (LATEST,)
    assert len(slack.calls(POST)) == 2  # the second night does not try the rest in vain
    assert files(tmp_path) == [f"{LATER.id}.json", f"{LATEST.id}.json"]
    slack.script(POST)
    assert send(tmp_path, slack, None).undelivered == ()
    assert posted_ids(slack) == [LATER.id, LATEST.id]
    assert slack.calls("conversations.history") == []


def test_a_night_with_slack_out_of_order_is_delivered_by_the_next(tmp_path: Path, slack: FakeSlack) -> None:
    for method in (POST, "conversations.history", "conversations.list"):
        slack.script(method, then=failing(503))
    [(_, _, reason)] = send(tmp_path, slack).undelivered
    assert reason == "it may have been posted already and cannot be looked for: HTTP 503"
    for method in (POST, "conversations.history", "conversations.list"):
        slack.script(method)
    assert send(tmp_path, slack, LATER).undelivered == ()
    assert posted_ids(slack) == [ALERT.id, LATER.id]


def test_a_history_that_cannot_be_read_leaves_the_doubt(tmp_path: Path, slack: FakeSlack) -> None:
    slack.script(POST, dropped(takes=True))
    slack.script("conversations.history", then=failing(200, body='{"ok": true}'))
    assert len(send(tmp_path, slack).undelivered) == 1
    slack.script("conversations.history")
    assert send(tmp_path, slack, None).undelivered == ()
    assert posted_ids(slack) == [ALERT.id]


def test_where_slack_is_not_reached_nothing_is_in_doubt(tmp_path: Path, slack: FakeSlack) -> None:
    with refusing_url() as nobody:
        [(_, _, reason)] = send(tmp_path, slack, api_url=nobody).undelivered
    assert reason.startswith("Slack was not reached: ")
    slack.scopes = frozenset({"chat:write"})
    assert send(tmp_path, slack, LATER).undelivered == ()
    assert posted_ids(slack) == [ALERT.id, LATER.id]


def test_blocks_that_slack_refuses_go_as_text(tmp_path: Path, slack: FakeSlack) -> None:
    slack.script(POST, refused("invalid_blocks"))
    assert send(tmp_path, slack).undelivered == ()
    assert posted_ids(slack) == [ALERT.id]
    assert "blocks" not in slack.messages[0]
    assert slack.messages[0]["text"] == ALERT.text


def test_a_message_that_slack_never_takes_does_not_hold_up_others(tmp_path: Path, slack: FakeSlack) -> None:
    slack.script(POST, refused("msg_too_long"))
    assert send(tmp_path, slack).undelivered == ((ALERT.id, None, "msg_too_long"),)
    slack.script(POST, refused("msg_too_long"))
    assert send(tmp_path, slack, LATER).undelivered == ((ALERT.id, None, "msg_too_long"),)
    assert posted_ids(slack) == [LATER.id]


def test_a_doubtful_message_that_cannot_be_looked_for_is_not_repeated_and_holds_up_nothing(
    tmp_path: Path, slack: FakeSlack
) -> None:
    slack.scopes = frozenset({"chat:write", "channels:read"})
    slack.script(POST, dropped(takes=True))
    [(_, _, reason)] = send(tmp_path, slack).undelivered
    assert reason == (
        "it may have been posted already and cannot be looked for: "
        "missing_scope: the token lacks the scope channels:history"
    )
    assert send(tmp_path, slack, LATER).undelivered == ((ALERT.id, None, reason),)
    assert posted_ids(slack) == [ALERT.id, LATER.id]
    slack.scopes |= {"channels:history"}
    assert send(tmp_path, slack, None).undelivered == ()
    assert posted_ids(slack) == [ALERT.id, LATER.id]
    assert files(tmp_path) == [f"sent/{ALERT.id}.json", f"sent/{LATER.id}.json"]


def test_a_channel_that_the_app_does_not_see_leaves_the_doubt(tmp_path: Path, slack: FakeSlack) -> None:
    slack.script(POST, dropped())
    [(_, _, reason)] = send(tmp_path, slack, channel="#secret").undelivered
    assert reason.endswith("the app sees no channel '#secret'")
    assert posted_ids(slack) == []


def test_a_doubtful_message_is_found_behind_hundreds_of_others(tmp_path: Path, slack: FakeSlack) -> None:
    slack.scopes = frozenset({"chat:write"})
    slack.script(POST, dropped(takes=True))
    assert len(send(tmp_path, slack, channel="C0LLMEVALS").undelivered) == 1
    chatter = {"type": "message", "channel": "C0LLMEVALS", "text": f"{ALERT.id}?", "metadata": None}
    slack.messages += [{**chatter, "ts": f"{time.time() + number:.6f}"} for number in range(450)]
    slack.scopes |= {"channels:history"}
    assert send(tmp_path, slack, None, channel="C0LLMEVALS").undelivered == ()
    assert len(slack.messages) == 451


KILLED = """
import sys
from pathlib import Path
from tests.alerts.test_delivery import send_once
send_once(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
"""


def send_once(results: Path, url: str, token: str) -> None:
    """In a process that will be killed: wait for Slack for as long as it takes."""
    send_with(results, SlackConfig(channel="C0LLMEVALS", api_url=url), token, ALERT, Patience())


@pytest.mark.parametrize("takes", [True, False])
def test_a_process_killed_while_it_posts_leaves_neither_a_gap_nor_a_double(
    tmp_path: Path, slack: FakeSlack, *, takes: bool
) -> None:
    slack.script(POST, hanging(60, takes=takes))
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), slack.url, slack.token], cwd=Path.cwd())
    deadline = time.monotonic() + 60
    while not slack.calls(POST) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert len(slack.messages) == takes
    assert files(tmp_path) == [f"{ALERT.id}.json"]
    assert send(tmp_path, slack, None).undelivered == ()
    assert posted_ids(slack) == [ALERT.id]
    assert files(tmp_path) == [f"sent/{ALERT.id}.json"]


def test_a_process_killed_after_its_record_leaves_no_double(tmp_path: Path, slack: FakeSlack) -> None:
    outbox, queued = Outbox(tmp_path), Queued(message=ALERT, attempted_at=time.time())
    outbox.settle(queued, Posted("1.0", "C0LLMEVALS"))
    outbox.keep(queued)
    assert send(tmp_path, slack).deliveries == ()
    assert slack.requests == []


def test_deliveries_at_the_same_time_post_each_message_once(tmp_path: Path, slack: FakeSlack) -> None:
    ids = [f"run-202701{day:02}-020000-a1b2" for day in range(10, 18)]
    patient = QUICK._replace(other_process_s=30)
    settings = SlackConfig(channel="C0LLMEVALS", api_url=slack.url)
    nights = [
        threading.Thread(
            target=send_with,
            args=(tmp_path, settings, slack.token, an_alert(run_id), patient),
        )
        for run_id in ids
    ]
    for thread in nights:
        thread.start()
    for thread in nights:
        thread.join()
    assert sorted(posted_ids(slack)) == [f"{run_id}.000" for run_id in ids]
    assert files(tmp_path) == [f"sent/{run_id}.000.json" for run_id in ids]


def test_while_another_process_delivers_a_message_waits(tmp_path: Path, slack: FakeSlack) -> None:
    (tmp_path / "outbox").mkdir()
    with (tmp_path / "outbox" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert send(tmp_path, slack).undelivered == ((ALERT.id, None, "another process is delivering"),)
    assert slack.requests == []
    assert send(tmp_path, slack, None).undelivered == ()
    assert posted_ids(slack) == [ALERT.id]


def test_what_waits_for_a_channel_that_the_config_has_no_more_is_printed_once(tmp_path: Path, slack: FakeSlack) -> None:
    slack.script(POST, refused("invalid_auth"))
    send(tmp_path, slack)
    report = send(tmp_path, slack, LATER, channel=None)
    assert (report.to_print, report.undelivered) == ((ALERT, LATER), ())
    assert send(tmp_path, slack, None, channel=None).to_print == ()
    assert Outbox(tmp_path).first_message(ALERT.thread) is None, "no thread was begun"


def test_without_a_token_what_waits_goes_on_waiting(tmp_path: Path, slack: FakeSlack) -> None:
    slack.script(POST, refused("invalid_auth"))
    send(tmp_path, slack)
    assert send(tmp_path, slack, None, token="").undelivered == ((ALERT.id, None, "SLACK_BOT_TOKEN holds no token"),)


def test_a_damaged_file_is_named_and_holds_up_nothing(tmp_path: Path, slack: FakeSlack) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / "a.json").write_text('{"message": ')
    [(message_id, _, reason)] = send(tmp_path, slack).undelivered
    assert message_id == "a"
    assert "outbox/a.json cannot be read" in reason
    assert posted_ids(slack) == [ALERT.id]


def test_an_alert_that_cannot_be_kept_breaks_the_run(tmp_path: Path, slack: FakeSlack) -> None:
    (tmp_path / "outbox").write_text("in the way")
    with pytest.raises(RunBroken, match="cannot keep an alert"):
        send(tmp_path, slack)
    assert slack.requests == []


@pytest.mark.parametrize(
    "step",
    [
        failing(502, body="you sent Bearer xoxb-fake"),
        failing(200, body="<html>Bearer xoxb-fake</html>"),
        refused("xoxb-fake"),
        refused("missing_scope", needed="xoxb-fake"),
        dropped(),
    ],
)
def test_the_token_stands_in_no_reason_log_or_file(
    tmp_path: Path, slack: FakeSlack, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], step: Step
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.script(POST, then=step)
    slack.script("conversations.list", then=step)
    report = send(tmp_path, slack)
    kept = "".join(path.read_text() for path in (tmp_path / "outbox").rglob("*") if path.is_file())
    assert slack.token not in f"{report}{caplog.text}{capfd.readouterr()}{kept}"
    assert slack.requests[0].token == slack.token


@pytest.mark.parametrize("token", ["xoxb-one\nxoxb-two", "xoxb-ünïcode", "xoxb \x00"])
def test_a_token_that_no_header_can_hold_is_not_sent_and_not_shown(
    tmp_path: Path, slack: FakeSlack, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    [(_, _, reason)] = send(tmp_path, slack, token=token).undelivered
    assert reason == "the Slack token holds characters that no token has"
    assert slack.requests == []
    assert caplog.text == ""


def test_a_token_may_end_with_a_line_break(tmp_path: Path, slack: FakeSlack) -> None:
    assert send(tmp_path, slack, token=slack.token + "\n").undelivered == ()


def test_a_429_is_waited_out(tmp_path: Path, slack: FakeSlack) -> None:
    slack.script(POST, rate_limited(1))
    send(tmp_path, slack)
    first, second = slack.calls(POST)
    assert 1 <= second.at - first.at < 10


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "divider"}] * 51,
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "😀" * 1501}}],
        [{"type": "section", "fields": [{"type": "plain_text", "text": "x"}] * 11}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}],
        [
            {
                "type": "rich_text",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}],
            }
        ],
        [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}],
        [{"type": "invented"}],
    ],
)
def test_the_fake_refuses_what_slack_refuses(blocks: list[dict[str, Any]]) -> None:
    assert list(problems_of(blocks)) != []
