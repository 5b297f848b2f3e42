"""Parameters of a command line: what is refused, and what of them a name shows."""

from typing import Any

import pytest

from flows.planning.candidates import own_name
from flows.planning.other_params import address_in_short, in_short, is_withheld, parsed, parsed_params, private_texts
from tasks.errors import UsageError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("temperature=0.5", 0.5),
        ("seed=9223372036854775807", 2**63 - 1),
        ("stop=[END]", "[END]"),
        ("user=", ""),
        ('extra_headers={"X-Team": "a/b"}', {"X-Team": "a/b"}),
    ],
)
def test_a_value_is_json_or_else_plain_text(text: str, value: Any) -> None:
    assert parsed(text) == (text.partition("=")[0], value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("temperature=NaN", "a finite number"),
        ("temperature=1e999", "a finite number"),
        ('logit_bias={"a": [-Infinity]}', "a finite number"),
        ("seed=9223372036854775808", "at most 64 bits"),
        (f"seed={'9' * 5000}", "at most 64 bits"),
        ("user=\udcff", "halves of characters"),
        (r'user="\ud800"', "halves of characters"),
        (f"stop={'[' * 21}{']' * 21}", "nested at most 20 deep"),
        (f"stop={'[' * 200_000}", "nested at most 20 deep"),
        ("top p=1", "a name of letters"),
        ("a/b=1", "a name of letters"),
        ("=1", "a name of letters"),
        ('stop={"a": 1, "a": 2}', "each key of an object once"),
    ],
)
def test_what_a_config_could_not_hold_is_refused(text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        parsed(text)


def test_a_parameter_stands_once() -> None:
    with pytest.raises(UsageError, match="seed once"):
        parsed_params(["seed=1", "seed=2"])


KNOWN = frozenset({"known-secret", 'quo"ted-secret'})


@pytest.mark.parametrize(
    ("name", "value", "seen", "kept"),
    [
        ("temperature", 0.5, "temperature=0.5", True),
        ("max_tokens", 9, "max_tokens=9", True),
        ("thinking", {"type": "enabled"}, None, True),
        ("extra_body", {"top_k": 5}, None, True),
        ("user", "x known-secret", None, False),
        ("thinking", {"type": 'quo"ted-secret'}, None, False),
        ("user", "${HOME}", None, False),
        ("user", "x" * 41, None, False),
        ("prompt_cache_key", "typed", None, False),
        ("extra_headers", {"X-Any": "typed"}, None, False),
        ("metadata_", {"authorization": ["typed"]}, None, False),
    ],
)
def test_a_value_that_may_be_secret_is_a_hash_in_a_name_and_in_no_plan(
    name: str, value: Any, seen: str | None, kept: Any
) -> None:
    secrets = KNOWN | private_texts({name: value}, None)
    short = in_short(name, value, secrets)
    assert short == seen or (seen is None and len(short) == len(name) + len("=#12345678"))
    assert is_withheld(name, value, secrets) is not kept


def test_an_address_is_shown_without_its_password_and_query() -> None:
    address = "https://me:pass-word@host:1/v1?sig=abcdef"
    found = private_texts({}, address)
    assert {"me:pass-word", "pass-word", "sig=abcdef"} == found
    assert address_in_short(address, found).startswith("https://host:1/v1 #")
    assert address_in_short("https://host:1/v1", found) == "https://host:1/v1"


def test_the_token_after_bearer_is_private_too() -> None:
    assert "sk-typed" in private_texts({"extra_headers": {"Authorization": "Bearer sk-typed"}}, None)


@pytest.mark.parametrize("wanted", ["a with b", "x" * 100 + " with seed=1", "a\nwith\x1b ${b}\\"])
def test_a_name_is_always_a_new_one_without_what_cannot_be_seen(wanted: str) -> None:
    name = own_name(wanted, {"a with b"})
    assert name != "a with b"
    assert len(name) <= 100
    assert name.isprintable()
    assert not {"\\", "$"} & set(name)
    assert own_name(wanted, {"a with b", name}) != name
    assert own_name(wanted + "!", {"a with b"}) != name
