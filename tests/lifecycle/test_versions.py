"""When the version behind a name moved: what is news, what is not, and what nobody can know."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.lifecycle.versions import disclosed, moves, states
from tasks.records import Sighting

START = datetime(2027, 1, 14, 2, tzinfo=UTC)


def nights(*served: str | dict[str, int] | None, model: str = "m", asked: str = "openai/gpt-4") -> list[Sighting]:
    """A night after the other, each with what answered: one version, or several with their calls."""
    found = []
    for night, versions in enumerate(served):
        at = START + timedelta(days=night)
        for version, calls in (versions if isinstance(versions, dict) else {versions: 20}).items():
            found.append(Sighting(model, f"run-{night}", asked, version, "fp", calls, at, at + timedelta(minutes=5)))
    return found


def told(*served: str | dict[str, int] | None) -> list[tuple[str, str]]:
    """The runs that brought news, with what they said."""
    return [(move.run_id, move.text) for move in moves(nights(*served))]


def test_a_move_is_news_once_and_the_way_back_is_news_again() -> None:
    assert told("a-1", "a-1", "a-2", "a-2", "a-1") == [
        ("run-2", "m moved from a-1 to a-2"),
        ("run-4", "m moved from a-2 to a-1"),
    ]


def test_two_versions_in_one_night_are_named_with_their_calls() -> None:
    assert told("a-1", {"a-1": 15, "a-2": 5}, {"a-1": 4, "a-2": 16}, "a-2") == [
        ("run-1", "m was served as a mixture of a-1 (15 of 20) and a-2 (5 of 20); before, a-1")
    ]


def test_the_part_of_a_mixture_that_stayed_away_is_news_when_it_comes_back() -> None:
    mixed = {"a-1": 10, "a-2": 10}
    assert [run for run, _ in told("a-1", mixed, "a-2", "a-2", "a-1")] == ["run-1"]
    assert [run for run, _ in told("a-1", mixed, "a-2", "a-2", "a-2", "a-1")] == ["run-1", "run-5"]


def test_nights_that_disclose_nothing_are_no_news_and_no_proof() -> None:
    assert told(None, "a-1", "gpt-4", None, "a-1") == []
    assert told("a-1", "gpt-4", "a-2") == [("run-2", "m moved from a-1 to a-2")]
    assert [str(state) for state in states(nights(None, "gpt-4"))] == ["version not disclosed"]


def test_another_id_in_the_config_is_no_move_of_the_provider() -> None:
    before = nights("a-1")
    after = [one._replace(run_id="run-9", first_seen=START + timedelta(days=9)) for one in nights("b-1", asked="x/b")]
    after = [one._replace(last_seen=one.first_seen) for one in after]
    assert moves([*before, *after]) == ()
    assert [str(state) for state in states([*before, *after])] == ["b-1 since 2027-01-23"]


def test_a_state_tells_since_when() -> None:
    assert [str(state) for state in states(nights("a-1", "a-2", "a-2"))] == ["a-2 since 2027-01-15"]
    [mixed] = states(nights("a-1", {"a-1": 5, "a-2": 15}))
    assert str(mixed) == "a-2 and a-1 mixed since 2027-01-15"


@pytest.mark.parametrize(
    ("asked", "served", "version"),
    [
        ("openai/gpt-4", "gpt-4-0613", "gpt-4-0613"),
        ("openai/gpt-4", "gpt-4", None),
        ("openai/gpt-4-0613", "gpt-4-0613", "gpt-4-0613"),
        ("openai/gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
        ("anthropic/claude-3-haiku-20240307", "claude-3-haiku-20240307", "claude-3-haiku-20240307"),
        ("gemini/gemini-1.5-pro-002", "gemini-1.5-pro-002", "gemini-1.5-pro-002"),
        ("gemini/gemini-1.5-pro", "gemini-1.5-pro", None),
        ("groq/llama-3.1-405b", "llama-3.1-405b", None),
        ("openrouter/meta/llama-3-8b", "llama-3-8b", None),
        ("openai/small", "", None),
        ("openai/small", None, None),
    ],
)
def test_an_alias_that_echoes_its_name_discloses_nothing(asked: str, served: str | None, version: str | None) -> None:
    assert disclosed(asked, served) == version
