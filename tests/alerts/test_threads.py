"""Threads in Slack: edits, replies, pictures and channels, through every fault."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.alerts.delivery import DeliveryReport, Draft, Patience, deliver, keep
from tasks.alerts.message import Message
from tasks.alerts.outbox import Outbox
from tasks.config import SlackChannels, SlackConfig
from tests.fakes.nights import an_alert
from tests.fakes.slack import FakeSlack, Step, dropped, failing, rate_limited, refused

QUICK = Patience(timeout_s=1, rate_limit_s=2, settle_s=0, other_process_s=0.3)
FIRST = an_alert()
EDIT = replace(FIRST, id="run-20270115-020000-a1b2.000", action="edit", text="edited")
REPLY = replace(FIRST, id="run-20270115-020000-a1b2.001", action="reply", text="replied", announced=True)
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlack]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeSlack() as fake:
        yield fake


def send(
    results: Path, slack: FakeSlack, *messages: Message, picture: bytes | None = None, **config: Any
) -> DeliveryReport:
    """Keep messages and deliver what waits."""
    settings = SlackConfig(**{"channel": "C0LLMEVALS", "api_url": slack.url, **config})
    keep(results, [Draft(message, picture) for message in messages])
    return deliver(results, settings, slack.token, messages, patience=QUICK)


def texts(slack: FakeSlack) -> list[str]:
    """What stands in Slack, replies behind their thread's mark."""
    return [("↳ " if "thread_ts" in one else "") + one["text"].partition("\n")[0] for one in slack.messages]


def test_an_edit_changes_the_first_message_and_a_reply_stands_in_its_thread(tmp_path: Path, slack: FakeSlack) -> None:
    assert send(tmp_path, slack, FIRST, EDIT, REPLY).undelivered == ()
    assert texts(slack) == ["edited", "↳ replied"]
    first, reply = slack.messages
    assert (reply["thread_ts"], reply["reply_broadcast"]) == (first["ts"], True)
    assert first["metadata"]["event_payload"] == {"id": EDIT.id, "incident": FIRST.thread}


@pytest.mark.parametrize(
    "step",
    [
        rate_limited(0),
        failing(500),
        failing(502, takes=True),
        failing(200, body="<html>"),
        dropped(),
        dropped(takes=True),
        refused("internal_error"),
    ],
)
@pytest.mark.parametrize("method", ["chat.update", "chat.postMessage"])
def test_a_passing_fault_edits_and_replies_exactly_once(
    tmp_path: Path, slack: FakeSlack, method: str, step: Step
) -> None:
    send(tmp_path, slack, FIRST)
    slack.script(method, step)
    report = send(tmp_path, slack, EDIT, REPLY)
    if report.undelivered:  # an edit that may have failed is repeated on the next occasion
        assert [one.message_id for one in report.undelivered] == [EDIT.id, REPLY.id][: len(report.undelivered)]
        assert send(tmp_path, slack).undelivered == ()
    assert texts(slack) == ["edited", "↳ replied"]


def test_edits_and_replies_wait_for_their_first_message(tmp_path: Path, slack: FakeSlack) -> None:
    slack.script("chat.postMessage", refused("msg_too_long"))
    report = send(tmp_path, slack, FIRST, EDIT, REPLY)
    waits = "the first message of its thread was not delivered"
    assert [one.reason for one in report.undelivered] == ["msg_too_long", waits, waits]
    assert send(tmp_path, slack).undelivered == ()
    assert texts(slack) == ["edited", "↳ replied"]


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "edit_window_closed"])
def test_what_cannot_be_edited_is_left_as_it_is_and_its_reply_is_told(
    tmp_path: Path, slack: FakeSlack, code: str
) -> None:
    send(tmp_path, slack, FIRST)
    slack.script("chat.update", then=refused(code))
    assert send(tmp_path, slack, EDIT, REPLY).undelivered == ()
    assert texts(slack)[1:] == ["↳ replied"]


def test_where_somebody_removed_the_thread_a_reply_stands_in_the_channel(tmp_path: Path, slack: FakeSlack) -> None:
    send(tmp_path, slack, FIRST)
    slack.messages.clear()
    assert send(tmp_path, slack, EDIT, REPLY).undelivered == ()
    assert texts(slack) == ["replied"]


def test_a_reply_that_may_have_been_posted_is_looked_for_in_its_thread(tmp_path: Path, slack: FakeSlack) -> None:
    send(tmp_path, slack, FIRST)
    slack.script("chat.postMessage", dropped(takes=True))
    assert send(tmp_path, slack, REPLY).undelivered == ()
    assert len(slack.calls("conversations.replies")) == 1
    assert texts(slack)[1:] == ["↳ replied"]


def test_a_channel_that_is_archived_holds_up_no_other(tmp_path: Path, slack: FakeSlack) -> None:
    slack.archived.add("C0GENERAL1")
    channels = SlackChannels(warning="C0GENERAL1")
    warning = replace(FIRST, id=f"{FIRST.id[:-1]}0", thread="inc-warning", severity="warning")
    alarm = replace(FIRST, id=f"{FIRST.id[:-1]}1", thread="inc-alarm")
    report = send(tmp_path, slack, warning, alarm, channels=channels)
    assert [(one.message_id, one.reason) for one in report.undelivered] == [
        (warning.id, "is_archived: the channel is archived")
    ]
    assert [one["channel"] for one in slack.messages] == ["C0LLMEVALS"]
    assert send(tmp_path, slack, channels=SlackChannels(warning="C0LLMEVALS")).undelivered == ()
    assert len(slack.messages) == 2, "a channel is looked up when a message is sent"


def with_chart(message: Message) -> Message:
    return replace(message, chart=f"{message.id}.png", chart_text="Pass rate over 30 nights")


def test_a_chart_is_uploaded_and_shown_below_the_text(tmp_path: Path, slack: FakeSlack) -> None:
    send(tmp_path, slack, with_chart(FIRST), picture=PNG)
    [(file, content)] = slack.files.items()
    assert content == PNG
    image = {"type": "image", "alt_text": "Pass rate over 30 nights", "slack_file": {"id": file}}
    assert slack.messages[0]["blocks"] == [*FIRST.blocks, image]
    assert list((tmp_path / "outbox" / "charts").iterdir()) == [], "it is not kept for longer than it is needed"


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize(
    "step", [refused("missing_scope", needed="files:write"), failing(500), dropped(), rate_limited(99)]
)
def test_an_alert_goes_without_a_chart_that_slack_does_not_take(
    tmp_path: Path, slack: FakeSlack, method: str, step: Step
) -> None:
    slack.script(method, then=step)
    assert send(tmp_path, slack, with_chart(FIRST), picture=PNG).undelivered == ()
    assert slack.messages[0]["blocks"] == list(FIRST.blocks)


def test_a_chart_that_slack_has_not_looked_at_yet_is_waited_for_but_not_for_ever(
    tmp_path: Path, slack: FakeSlack
) -> None:
    slack.script("chat.postMessage", refused("invalid_blocks"))
    send(tmp_path, slack, with_chart(FIRST), picture=PNG)
    assert [block["type"] for block in slack.messages[0]["blocks"]][-1] == "image"
    other = replace(with_chart(FIRST), id="run-20270116-020000-a1b2.000", thread="inc-other")
    slack.script("chat.postMessage", *[refused("invalid_blocks")] * 3)
    send(tmp_path, slack, other, picture=PNG)
    assert slack.messages[1]["blocks"] == list(FIRST.blocks)


def test_blocks_that_slack_refuses_are_taken_away_from_an_edited_message_as_well(
    tmp_path: Path, slack: FakeSlack
) -> None:
    send(tmp_path, slack, FIRST)
    slack.script("chat.update", refused("invalid_blocks"))
    send(tmp_path, slack, EDIT)
    assert (slack.messages[0]["text"], slack.messages[0]["blocks"]) == ("edited", [])


def test_the_first_message_is_known_while_it_waits_and_when_slack_has_it(tmp_path: Path, slack: FakeSlack) -> None:
    slack.script("chat.postMessage", refused("invalid_auth"))
    send(tmp_path, slack, FIRST)
    assert Outbox(tmp_path).first_message(FIRST.thread) == FIRST.id
    send(tmp_path, slack)
    assert Outbox(tmp_path).first_message(FIRST.thread) == FIRST.id
    assert Outbox(tmp_path).first_message("inc-unknown") is None
