"""Messages as Slack gets them and as a terminal shows them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.alerts.blocks import DETAILS, blocks_of
from tasks.alerts.digest import Digest
from tasks.alerts.inert import units
from tasks.alerts.message import BLOCKS_UNITS, TEXT_UNITS, as_text, compose, fits
from tasks.records import Verdict
from tests.fakes.nights import FAILED_GATE, REGRESSED, RETIRING, RUN_ID, UNMEASURED, eventful, lost, night, typical
from tests.fakes.slack import MESSAGE_UNITS
from tests.fakes.slack_limits import problems_of

GOLDEN = Path(__file__).parent / "typical_night.json"

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


def test_the_blocks_of_a_typical_night() -> None:
    assert list(compose(typical()).blocks) == json.loads(GOLDEN.read_text("utf-8"))


def test_the_text_of_a_typical_night() -> None:
    assert (
        as_text(compose(typical()))
        == """\
support-qa on gpt-4o-mini lost 12.4 points, 1 gate failed, 1 cell unmeasured, 1 retirement notice

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

Failed gates
• ticket-triage on gpt-4o-mini: p95_ms is 912 ms (95% interval 850 ms to 990 ms), limit 800 ms

Could not be measured
• guardrails on mistral-large: 12 of 60 cases were measured; the gate asks for 95%

Retirement
• gpt-4o retires in 30 days (2027-02-13). Source: litellm; config says 2027-03-01. \
Suites at risk: support-qa, guardrails

Report: https://reports.example.com/run-20270114-020000-a1b2/index.html?a=1&b=2 · Run run-20270114-020000-a1b2"""
    )


@pytest.mark.parametrize(
    ("happened", "headline"),
    [
        ({"comparisons": [REGRESSED]}, "support-qa on gpt-4o-mini lost 12.4 points"),
        ({"gates": [FAILED_GATE]}, "ticket-triage on gpt-4o-mini failed p95_ms"),
        ({"comparisons": [UNMEASURED]}, "guardrails on mistral-large unmeasured"),
        ({"retirements": [RETIRING]}, "gpt-4o retires in 30 days (2027-02-13)"),
        (
            {"comparisons": [REGRESSED, replace(REGRESSED, suite="other")], "gates": [FAILED_GATE]},
            "2 cells got worse, 1 gate failed",
        ),
        (
            {"comparisons": [replace(REGRESSED, suite="s" * 100, model="&" * 100), UNMEASURED]},
            "1 cell got worse, 1 cell unmeasured",
        ),
        (
            {"comparisons": [REGRESSED], "simulated": ["gpt-4o-mini"]},
            "Rehearsal: support-qa on gpt-4o-mini lost 12.4 points",
        ),
        (
            {"comparisons": [REGRESSED, UNMEASURED], "simulated": ["gpt-4o-mini"]},
            "support-qa on gpt-4o-mini lost 12.4 points, 1 cell unmeasured",
        ),
    ],
)
def test_the_headline_says_what_got_worse_and_fits_on_a_phone(happened: dict[str, Any], headline: str) -> None:
    digest = night(**happened)
    assert digest is not None
    header = compose(digest).blocks[0]["text"]
    assert header == {"type": "plain_text", "text": headline, "emoji": False}
    assert len(headline) <= 100


def test_simulated_models_are_named() -> None:
    text = as_text(compose(eventful(simulated=["bright", "dim"])))
    assert "This is a rehearsal for bright, dim: their answers are simulated, no provider was asked." in text


def many_cells(n: int, **changed: Any) -> Digest:
    """A night in which every cell got worse, failed its gate, and every model retires."""
    names = [f"suite-{number:03}" for number in range(n)]
    flips = [lost(f"case-{number}", "x" * 10_000, "y" * 10_000, suite=suite) for suite in names for number in range(9)]
    parts: dict[str, Any] = {
        "comparisons": [replace(REGRESSED, suite=suite) for suite in names],
        "flips": flips,
        "gates": [replace(FAILED_GATE, suite=suite) for suite in names],
        "retirements": [replace(RETIRING, model=suite, suites=tuple(names)) for suite in names],
        "report": "https://reports.example.com/",
    }
    return eventful(**parts | changed)


@pytest.mark.parametrize("n", [1, 3, 10, 11, 200])
def test_messages_of_any_size_are_within_slacks_limits(n: int) -> None:
    message = compose(many_cells(n))
    assert list(problems_of(message.blocks)) == []
    assert units(json.dumps(message.blocks, ensure_ascii=False)) <= BLOCKS_UNITS < MESSAGE_UNITS
    assert units(message.text) <= TEXT_UNITS


def test_what_does_not_fit_is_counted_and_the_report_is_named() -> None:
    message = compose(many_cells(200))
    shown = sum(block["type"] == "rich_text" and "points lost" in json.dumps(block) for block in message.blocks)
    assert shown >= 5
    assert f"and {200 - shown} more cells got worse, see the report" in as_text(message)
    assert message.blocks[0]["text"]["text"].startswith("200 cells got worse, 200 gates failed")
    assert message.text.endswith(f"Report: https://reports.example.com/ · Run {RUN_ID}")


def test_a_single_cell_shows_three_cases_with_both_outputs_however_long_they_are() -> None:
    text = as_text(compose(many_cells(1)))
    assert text.count("was: xxx") == text.count("now: yyy") == 3
    assert "and 6 more lost" in text


names = st.one_of(
    st.sampled_from(["<" * 100, '"' * 100, "\\" * 100, "😀" * 50, HOSTILE[:100]]), st.text(min_size=1, max_size=100)
)


@settings(deadline=None, max_examples=30)
@given(names, names, st.text(max_size=500), st.sampled_from([1, 12]))
def test_the_least_detail_always_fits(suite: str, model: str, written: str, n: int) -> None:
    digest = eventful(
        comparisons=[
            *[
                replace(REGRESSED, suite=f"{number}{suite}", model=model, baseline_model=suite, cause=written)
                for number in range(n)
            ],
            *[
                replace(UNMEASURED, suite=f"{number}{suite}", model="u" + model, cause=written * 9)
                for number in range(n)
            ],
        ],
        flips=[lost(written or "x", written, suite=f"0{suite}", model=model)],
        gates=[replace(FAILED_GATE, suite=suite, model=model)] * n,
        retirements=[replace(RETIRING, model=model, source=written, suites=(suite,) * n, judged_suites=(suite,) * n)]
        * n,
        simulated=[model] * n,
        report="https://reports.example.com/" + "x" * 900,
    )
    assert fits([block.to_dict() for block in blocks_of(digest, DETAILS[-1])])
    message = compose(digest)
    assert list(problems_of(message.blocks)) == []
    assert units(message.text) <= TEXT_UNITS


def test_nothing_that_was_written_mentions_links_formats_or_hides() -> None:
    digest = eventful(
        comparisons=[
            replace(REGRESSED, suite=HOSTILE, model=HOSTILE, cause=HOSTILE),
            replace(UNMEASURED, suite=HOSTILE, model=HOSTILE, cause=HOSTILE),
        ],
        flips=[lost(HOSTILE, HOSTILE, "now " + HOSTILE, suite=HOSTILE, model=HOSTILE)],
        gates=[replace(FAILED_GATE, suite=HOSTILE)],
        retirements=[replace(RETIRING, model=HOSTILE, source=HOSTILE, suites=(HOSTILE,))],
        simulated=[HOSTILE],
        report=HOSTILE,
    )
    message = compose(digest)
    header, *rich = message.blocks
    assert header["text"]["type"] == "plain_text"
    assert {block["type"] for block in rich} == {"rich_text"}
    assert {leaf["type"] for leaf in leaves(rich)} == {"text"}
    assert all(leaf.get("style", {"bold": True}) == {"bold": True} for leaf in leaves(rich))
    written = json.dumps(message.blocks, ensure_ascii=False) + message.text
    for active in ("<!", "<@", "<#", "<http", "://", ":tada:", "\u202e", "\u200b", "\x1b", "\\u001b"):
        assert active not in written
    assert not {"<", ">"} & set(message.text + header["text"]["text"])
    assert "`code` ```fence``` *bold* _it_ ~gone~" in as_text(message)


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
    message = compose(eventful(report=report))
    assert {leaf["type"] for leaf in leaves(list(message.blocks[1:]))} == {"text"}
    assert "Report: " in as_text(message)


def test_a_web_address_becomes_a_link_and_stays_one_in_the_text() -> None:
    message = compose(eventful(report="https://reports.example.com/?a=1&b=2"))
    [link] = [leaf for leaf in leaves(list(message.blocks[1:])) if leaf["type"] == "link"]
    assert link["url"] == "https://reports.example.com/?a=1&b=2"
    assert "Report: https://reports.example.com/?a=1&amp;b=2" in message.text


def test_without_excerpts_only_ids_are_shown() -> None:
    flips = [lost(f"c-{number}", "secret", "secret") for number in range(5)]
    message = compose(eventful(flips=flips, excerpts=False))
    assert "Lost: c-0, c-1, c-2 and 2 more" in as_text(message)
    assert "secret" not in json.dumps(message.blocks) + message.text


def test_unknown_numbers_are_said_to_be_unknown() -> None:
    bare = replace(
        REGRESSED,
        drop_pp=None,
        ci_low_pp=None,
        ci_high_pp=None,
        baseline_pass_rate=None,
        cause=" ",
        baseline_run_id=None,
    )
    text = as_text(
        compose(
            eventful(
                comparisons=[bare, replace(UNMEASURED, cause="")], gates=[replace(FAILED_GATE, value=None, ci_low=None)]
            )
        )
    )
    assert "an unknown share lost (118 of 121 cases paired)\nBaseline unknown → tonight 79.3%\n•" in text
    assert "p95_ms could not be measured, limit 800 ms" in text
    assert "no reason known" in text


def test_another_model_as_baseline_is_named() -> None:
    other = replace(REGRESSED, baseline_model="gpt-4o", baseline_run_id=RUN_ID, verdict=Verdict.REGRESSED)
    assert "Baseline 91.7% (gpt-4o) → tonight 79.3%" in as_text(compose(eventful(comparisons=[other])))
