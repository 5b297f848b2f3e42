"""Messages as Slack gets them and as a terminal shows them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.alerts.blocks import DETAILS, first_message, reply
from tasks.alerts.incidents import Incident
from tasks.alerts.inert import units
from tasks.alerts.message import BLOCKS_UNITS, TEXT_UNITS, Action, as_text, block_text, content_of, fits
from tasks.alerts.story import Link, Story
from tasks.alerts.wording import retirement_line
from tasks.records import Verdict
from tests.fakes.nights import (
    AT,
    FAILED_GATE,
    REGRESSED,
    RETIRING,
    RUN_ID,
    TYPICAL_FLIPS,
    UNMEASURED,
    a_night,
    a_setting,
    changes_in,
    first_messages,
    lost,
    quiet_night,
    stories,
    typical,
)
from tests.fakes.slack import MESSAGE_UNITS
from tests.fakes.slack_limits import problems_of

GOLDEN = Path(__file__).parent / "typical_night.json"
OWNERS = {"support-qa": "<!subteam^S0ABC123>", "guardrails": "@safety"}
NEXT = "run-20270115-020000-e5f6"

HOSTILE = (
    "<!channel> <@U1> <https://evil.example|click> &lt;!here&gt; `code` ```fence``` *bold* _it_ ~gone~ :tada: "
    "https://evil.example \u202egnp.exe zero\u200bwidth \x1b[31m مرحبا 😀"
)


def leaves(value: Any) -> Iterator[dict[str, Any]]:
    """Every object that holds a text."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)


def shown(blocks: tuple[Mapping[str, Any], ...]) -> str:
    """Blocks as a reader sees them."""
    return "\n\n".join(map(block_text, blocks))


def told(story: Story, action: Action = "post") -> str:
    """A story as a reader sees it."""
    return shown(content_of(story, action)[1])


def test_the_blocks_of_a_typical_night() -> None:
    messages = first_messages(typical(), TYPICAL_FLIPS, owners=OWNERS)
    assert [list(message.blocks) for message in messages] == json.loads(GOLDEN.read_text("utf-8"))


def test_a_regression_tells_drop_interval_n_cause_cases_and_what_to_do() -> None:
    [story] = stories(a_night(), TYPICAL_FLIPS, owners=OWNERS)
    incident = story.incident.id
    assert (
        told(story)
        == f"""\
support-qa on gpt-4o-mini lost 12.4 points

New on 14 January 2027. @S0ABC123

support-qa on gpt-4o-mini
12.4 points lost (95% interval 6.1 to 18.9, 118 of 121 cases paired)
Baseline 91.7% (run-20261201-020000-c3d4) → tonight 79.3%
Why: more than 3 pp worse, beyond run-to-run noise
• returns-017
  was: You have 30 days.
  now: You have 14 days & must call <support>.
• returns-022
  was: No, it is not covered.
  now: (no output)
• warranty-3
  was: Two years.
  now: (empty)
• and 9 more lost

• Accept as baseline: daybreak baseline promote {RUN_ID} --suite support-qa --model gpt-4o-mini
• Compare again: daybreak compare --candidate gpt-4o-mini --suite support-qa
• Acknowledge: daybreak alerts ack {incident}

Report: https://reports.example.com/run-20270114-020000-a1b2/index.html?a=1&b=2 · {RUN_ID} · {incident}"""
    )


def later(night: Any, known: Incident, *, days: int = 1, **changed: Any) -> Story:
    """What a later night tells of an incident."""
    at = AT + timedelta(days=days)
    [change] = changes_in(replace(night, run_id=NEXT), [known], at=at)
    return Story(change, a_setting(replace(night, run_id=NEXT), TYPICAL_FLIPS, today=at.date(), **changed))


def test_a_worse_night_says_so_in_full_and_calls_the_owner() -> None:
    [first] = stories(a_night(), TYPICAL_FLIPS)
    worse = replace(REGRESSED, drop_pp=30, ci_low_pp=20, ci_high_pp=40, pass_rate=0.617)
    story = later(a_night(comparisons=[worse]), first.incident, owners=OWNERS)
    assert told(story).startswith(
        "Worse: support-qa on gpt-4o-mini lost 30.0 points\n\nSince 14 January 2027, 2 nights. @S0ABC123"
    )
    reply = told(story, "reply")
    assert reply.startswith("Worse: support-qa on gpt-4o-mini lost 30.0 points. @S0ABC123 ".rstrip())
    assert "30.0 points lost (95% interval 20.0 to 40.0" in reply
    assert "returns-017" in reply


def test_a_night_that_goes_on_is_one_line_and_calls_nobody() -> None:
    [first] = stories(a_night(), TYPICAL_FLIPS)
    story = later(a_night(), first.incident, owners=OWNERS)
    [opening, line, _] = told(story, "reply").split("\n\n")
    assert opening.strip() == "Night 2: goes on."
    assert line.startswith("• support-qa on gpt-4o-mini: 12.4 points lost (95% interval")


def test_a_recovery_says_from_when_to_when_and_what_it_was() -> None:
    [first] = stories(a_night(), TYPICAL_FLIPS)
    calm = replace(REGRESSED, verdict=Verdict.UNCHANGED, pass_rate=0.92)
    story = later(quiet_night(comparisons=[calm]), first.incident, days=3, owners=OWNERS)
    assert told(story).startswith(
        "Resolved: support-qa on gpt-4o-mini lost 12.4 points\n\nFrom 14 January 2027 to 17 January 2027: 1 night.\n\n"
        "• support-qa on gpt-4o-mini: unchanged: 92.0% tonight, baseline 91.7% (was: 12.4 points lost (95%"
    )
    assert "daybreak" not in told(story), "nothing is left to do"


@pytest.mark.parametrize(
    ("happened", "headline"),
    [
        ({"comparisons": [REGRESSED]}, "support-qa on gpt-4o-mini lost 12.4 points"),
        ({"gates": [FAILED_GATE]}, "ticket-triage on gpt-4o-mini: p95 latency 912 ms, limit 800 ms"),
        ({"comparisons": [UNMEASURED]}, "guardrails on mistral-large unmeasured"),
        ({"lifespans": [RETIRING]}, "gpt-4o retires in 30 days (2027-02-13)"),
        (
            {"comparisons": [UNMEASURED], "out_of_budget": [("guardrails", "mistral-large")]},
            "guardrails on mistral-large unmeasured: the budget is spent",
        ),
        ({"comparisons": [REGRESSED, replace(REGRESSED, suite="other")]}, "2 suites got worse on gpt-4o-mini"),
        (
            {"comparisons": [replace(REGRESSED, suite="s" * 100, model="&" * 100)]},
            "sssssssssssssssssssssss… on &&&&&&&&&&&&&&&&&&&&&&&… lost…",
        ),
    ],
)
def test_the_headline_says_what_it_is_and_fits_on_a_phone(happened: dict[str, Any], headline: str) -> None:
    [story] = stories(quiet_night(**happened))
    assert story.headline == headline
    header = content_of(story, "post")[1][0]
    assert (header["type"], header["text"]["type"], header["text"]["emoji"]) == ("header", "plain_text", False)
    assert units(headline) <= 100
    assert units(header["text"]["text"]) <= 150


def test_a_rehearsal_says_so() -> None:
    [story] = stories(a_night(), simulated=("gpt-4o-mini", "elsewhere"))
    assert story.headline == "Rehearsal: support-qa on gpt-4o-mini lost 12.4 points"
    assert "This is a rehearsal for gpt-4o-mini: their answers are simulated, no provider was asked." in told(story)


def many_cells(n: int) -> tuple[Any, list[Any]]:
    """A night in which every cell got worse, and its flips."""
    names = [f"suite-{number:03}" for number in range(n)]
    flips = [lost(f"case-{number}", "x" * 10_000, "y" * 10_000, suite=suite) for suite in names for number in range(9)]
    return a_night(comparisons=[replace(REGRESSED, suite=suite) for suite in names]), flips


@pytest.mark.parametrize("n", [1, 3, 10, 11, 200])
@pytest.mark.parametrize("action", ["post", "reply"])
def test_messages_of_any_size_are_within_slacks_limits(n: int, action: Action) -> None:
    night, flips = many_cells(n)
    [story] = stories(night, flips, owners={f"suite-{number:03}": f"U0{number:06}" for number in range(n)})
    text, blocks = content_of(story, action)
    assert list(problems_of(blocks)) == []
    assert units(json.dumps(blocks, ensure_ascii=False)) <= BLOCKS_UNITS < MESSAGE_UNITS
    assert units(text) <= TEXT_UNITS


def test_what_does_not_fit_is_counted_and_the_report_is_named() -> None:
    night, flips = many_cells(200)
    [story] = stories(night, flips)
    text, blocks = content_of(story, "post")
    visible = sum(block["type"] == "rich_text" and "points lost" in json.dumps(block) for block in blocks)
    assert visible >= 5
    assert f"and {200 - visible} more, see the report" in shown(blocks)
    assert story.headline == "200 suites got worse on gpt-4o-mini"
    assert text.endswith(f" · {RUN_ID} · {story.incident.id}")


def test_a_single_cell_shows_three_cases_with_both_outputs_however_long_they_are() -> None:
    night, flips = many_cells(1)
    [story] = stories(night, flips)
    text = told(story)
    assert text.count("was: xxx") == text.count("now: yyy") == 3
    assert "and 6 more lost" in text


@pytest.mark.parametrize(
    ("suites", "shown"), [("abc", "a, b, c."), ("abcd", "a, b, c and 1 more suite."), ("abcde", "and 2 more suites.")]
)
def test_what_a_list_leaves_out_is_counted(suites: str, shown: str) -> None:
    assert shown in retirement_line(replace(RETIRING, suites=tuple(suites), advice=("Ask again.",))) + "."


names = st.one_of(
    st.sampled_from(["<" * 100, '"' * 100, "\\" * 100, "😀" * 50, HOSTILE[:100]]), st.text(min_size=1, max_size=100)
)


@settings(deadline=None, max_examples=30)
@given(names, names, st.text(max_size=500), st.sampled_from([1, 12]))
def test_the_least_detail_always_fits(suite: str, model: str, written: str, n: int) -> None:
    worse = replace(REGRESSED, model=model, baseline_model=suite, cause=written)
    numbered = [replace(worse, suite=f"{number}{suite}") for number in range(n)]
    blank = [replace(UNMEASURED, suite=one.suite, model="u" + model, cause=written * 9) for one in numbered]
    ends = [replace(RETIRING, model=model, source=written, suites=(suite,) * n, judged_suites=(suite,) * n)]
    night = a_night(comparisons=[*numbered, *blank], gates=[replace(FAILED_GATE, suite=suite)], lifespans=ends)
    flips = [lost(written or "x", written, suite=f"0{suite}", model=model)]
    links = (
        Link("Report", "https://reports.example.com/" + "x" * 900),
        Link("Prefect", "https://p.example/" + "y" * 900),
    )
    for story in stories(night, flips, simulated=(model,), links=links, owners={f"0{suite}": written or "x"}):
        for layout, action in ((first_message, "post"), (reply, "reply")):
            assert fits([block.to_dict() for block in layout(story, DETAILS[-1])])
            text, blocks = content_of(story, "reply" if action == "reply" else "post")
            assert list(problems_of(blocks)) == []
            assert units(text) <= TEXT_UNITS


def test_nothing_that_was_written_mentions_links_formats_or_hides() -> None:
    night = a_night(
        comparisons=[
            replace(REGRESSED, suite=HOSTILE, model=HOSTILE, cause=HOSTILE),
            replace(UNMEASURED, suite=HOSTILE, model=HOSTILE + "2", cause=HOSTILE),
        ],
        gates=[replace(FAILED_GATE, suite=HOSTILE)],
        lifespans=[replace(RETIRING, model=HOSTILE, source=HOSTILE, suites=(HOSTILE,))],
    )
    flips = [lost(HOSTILE, HOSTILE, "now " + HOSTILE, suite=HOSTILE, model=HOSTILE)]
    found = stories(night, flips, simulated=(HOSTILE,), links=(Link("Report", HOSTILE),), owners={HOSTILE: HOSTILE})
    assert len(found) == 4
    for text, blocks in (content_of(story, action) for story in found for action in ("post", "reply")):
        rich = [block for block in blocks if block["type"] == "rich_text"]
        assert {block["type"] for block in blocks} <= {"header", "rich_text"}
        assert {leaf["type"] for leaf in leaves(rich)} == {"text"}
        assert all(leaf.get("style", {"bold": True}) in ({"bold": True}, {"code": True}) for leaf in leaves(rich))
        written = json.dumps(blocks, ensure_ascii=False) + text
        for active in ("<!", "<@", "<#", "<http", "://", ":tada:", "\u202e", "\u200b", "\x1b", "\\u001b"):
            assert active not in written
        header = blocks[0]["text"]["text"] if blocks[0]["type"] == "header" else ""
        assert not {"<", ">"} & set(text + header)
    assert "`code` ```fence``` *bold* _it_ ~gone~" in told(found[0])


@pytest.mark.parametrize(
    ("owner", "part"),
    [
        ("U012ABCDEF", {"type": "user", "user_id": "U012ABCDEF"}),
        ("<@W012ABCDEF>", {"type": "user", "user_id": "W012ABCDEF"}),
        ("S0ABC1234", {"type": "usergroup", "usergroup_id": "S0ABC1234"}),
        ("<!subteam^S0ABC1234>", {"type": "usergroup", "usergroup_id": "S0ABC1234"}),
        ("@support-ml", {"type": "text", "text": "@support-ml"}),
        ("<!channel>", {"type": "text", "text": "‹!channel>"}),
        ("SUPPORT", {"type": "text", "text": "SUPPORT"}),
    ],
)
def test_an_owner_is_mentioned_only_by_an_id_of_slacks(owner: str, part: dict[str, str]) -> None:
    [story] = stories(a_night(), owners={"support-qa": owner})
    [preface] = [block for block in content_of(story, "post")[1] if "New on" in json.dumps(block)]
    assert preface["elements"][0]["elements"][-1] == part


@pytest.mark.parametrize(
    "report",
    [
        "results/reports/index.html",
        "javascript:alert(1)",
        "https://x.example/a b",
        'https://x.example/"',
        "https://x.example/" + "x" * 4000,
    ],
)
def test_only_a_plain_web_address_becomes_a_link(report: str) -> None:
    [story] = stories(a_night(), links=(Link("Report", report),))
    _, blocks = content_of(story, "post")
    assert {leaf["type"] for leaf in leaves(list(blocks[1:]))} == {"text"}
    assert "Report: " in shown(blocks)


def test_a_web_address_becomes_a_link_and_stays_one_in_the_text() -> None:
    [story] = stories(a_night(), links=(Link("Report", "https://reports.example.com/?a=1&b=2"),))
    text, blocks = content_of(story, "post")
    [link] = [leaf for leaf in leaves(list(blocks[1:])) if leaf["type"] == "link"]
    assert link["url"] == "https://reports.example.com/?a=1&b=2"
    assert "Report: https://reports.example.com/?a=1&amp;b=2" in text


def test_without_excerpts_only_ids_are_shown() -> None:
    flips = [lost(f"c-{number}", "secret", "secret") for number in range(5)]
    [story] = stories(a_night(), flips, with_excerpts=False)
    text, blocks = content_of(story, "post")
    assert "Lost: c-0, c-1, c-2 and 2 more" in shown(blocks)
    assert "secret" not in json.dumps(blocks) + text


def test_unknown_numbers_are_said_to_be_unknown() -> None:
    unknown: dict[str, Any] = {"drop_pp": None, "ci_low_pp": None, "ci_high_pp": None, "baseline_pass_rate": None}
    bare = replace(REGRESSED, **unknown, cause=" ", baseline_run_id=None)
    gate = replace(FAILED_GATE, value=None, ci_low=None)
    texts = [told(story) for story in stories(a_night(comparisons=[bare, replace(UNMEASURED, cause="")], gates=[gate]))]
    assert "an unknown share lost (118 of 121 cases paired)\nBaseline unknown → tonight 79.3%\n" in texts[0]
    assert "no reason known" in texts[1]
    assert "p95_ms could not be measured, limit 800 ms" in texts[2]


def test_another_model_as_baseline_is_named_and_nothing_can_be_promoted() -> None:
    [story] = stories(a_night(comparisons=[replace(REGRESSED, baseline_model="gpt-4o", baseline_run_id=RUN_ID)]))
    assert "Baseline 91.7% (gpt-4o) → tonight 79.3%" in told(story)
    assert "promote" not in told(story)


def test_commands_that_tell_causes_apart_are_offered() -> None:
    commands = tuple(
        f"{factor}: daybreak compare --suite {factor}" for factor in ("parameters", "prompt", "served model")
    )
    [story] = stories(a_night(comparisons=[replace(REGRESSED, commands=commands)]))
    assert "• Is it the parameters: daybreak compare --suite parameters\n• Is it the prompt: daybreak" in told(story)
    assert "--suite served model" not in told(story), "two are enough"


def test_a_message_reads_in_a_terminal_as_in_slack() -> None:
    [message] = first_messages(a_night(), TYPICAL_FLIPS)
    assert as_text(message) == shown(message.blocks)
