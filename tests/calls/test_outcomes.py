"""What errors mean that are hard to play over HTTP, and how long is waited before another attempt."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tasks.calls.outcomes import Fault, classify
from tasks.calls.retries import MAX_WAIT_S, wait_before_retry_s, wanted_wait_s
from tasks.records import CallStatus as S

NOW = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)


class ContextWindowExceededError(Exception):
    """Named as litellm names it."""


class AuthenticationError(Exception):
    """Named as litellm names it."""


class OtherError(Exception):
    """Made up by a library, with a status that never came over the wire."""

    status_code = 500


def over_http(status: int, body: str = "", headers: dict[str, str] | None = None) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://127.0.0.1/v1/chat/completions")
    response = httpx.Response(status, text=body, headers=headers, request=request)
    return httpx.HTTPStatusError("it failed", request=request, response=response)


def raised_from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def meaning(error: BaseException) -> Fault:
    return classify(error, now=NOW)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, '{"error": {"message": "prompt is too long: 9 tokens"}}', S.CONTEXT_OVERFLOW),
        (400, '{"error": {"message": "Your credit balance is too low to access the API"}}', S.QUOTA_EXHAUSTED),
        (400, '{"error": {"code": "content_filter", "message": "filtered"}}', S.REFUSED_BY_PROVIDER),
        (403, '{"error": {"code": "content_filter", "message": "filtered"}}', S.REFUSED_BY_PROVIDER),
        (429, '{"error": {"status": "RESOURCE_EXHAUSTED", "message": "You exceeded your quota"}}', S.RATE_LIMITED),
        (401, '{"detail": "no"}', S.UNAUTHORIZED),
        (400, '[{"error": {"message": "Invalid argument", "code": 400}}]', S.BAD_REQUEST),
        (504, "upstream request timeout", S.SERVER_ERROR),
        (307, "", S.BAD_RESPONSE),
    ],
)
def test_providers_word_the_same_thing_differently(status: int, body: str, expected: S) -> None:
    assert meaning(raised_from(OtherError("wrapped"), over_http(status, body))).status is expected


def test_what_came_over_the_wire_counts_and_not_what_a_library_makes_of_it() -> None:
    assert meaning(raised_from(OtherError(), over_http(404, "nope"))).message.startswith("HTTP 404: nope")


def test_an_overflow_that_only_litellm_recognises_is_one() -> None:
    error = raised_from(ContextWindowExceededError("too many"), over_http(400, '{"message": "Validation failed"}'))
    assert meaning(error).status is S.CONTEXT_OVERFLOW


def test_a_key_that_only_litellm_recognises_as_bad_is_one() -> None:
    error = raised_from(AuthenticationError("bad key"), over_http(400, '{"error": {"message": "API key not valid"}}'))
    assert (meaning(error).status, meaning(error).stop_model) == (S.UNAUTHORIZED, True)


def test_a_made_up_500_is_no_server_error() -> None:
    fault = meaning(OtherError("could not read it"))
    assert (fault.status, fault.retry) == (S.BAD_RESPONSE, True)


def test_a_message_is_one_line_without_secrets_and_not_long() -> None:
    body = '{"error": {"message": "line one\\nkey hush-hush \\u001b[31m ' + "x" * 5000 + ' the end"}}'
    fault = classify(over_http(400, body), now=NOW, redact=lambda text: text.replace("hush-hush", "•••"))
    assert fault.message.startswith("HTTP 400: line one key ••• [31m xxx")
    assert fault.message.endswith("xxx the end")
    assert len(fault.message) < 310


def test_a_chain_of_exceptions_that_is_a_circle_ends() -> None:
    one, two = OtherError("one"), OtherError("two")
    one.__cause__, two.__cause__ = two, one
    assert meaning(one).status is S.BAD_RESPONSE


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "12"}, "", 12),
        ({"retry-after": "0.25"}, "", 0.25),
        ({"retry-after": "-3"}, "", 0),
        ({"retry-after": "Sun, 01 Nov 2026 02:00:30 GMT"}, "", 30),
        ({"retry-after": "Sun, 01 Nov 2026 01:00:00 GMT"}, "", 0),
        ({"retry-after": "Sun, 01 Nov 2026 02:00:30 -0000"}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({}, '{"error": {"details": [{"retryDelay": "34.5s"}]}}', 34.5),
        ({}, "", None),
    ],
)
def test_the_wait_a_provider_asks_for(headers: dict[str, str], body: str, seconds: float | None) -> None:
    assert wanted_wait_s(headers, body, now=NOW) == seconds


def test_a_wait_beyond_ours_is_not_waited_for() -> None:
    later = (NOW + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    fault = meaning(over_http(429, "slow down", {"Retry-After": later}))
    assert (fault.retry, fault.retry_after_s) == (False, 3600)
    assert "asks to wait 3600 s, and we wait 60 at most" in fault.message


def test_backoff_is_full_jitter_that_grows_to_a_bound() -> None:
    assert [wait_before_retry_s(None, attempts, jitter=0.5) for attempts in (1, 2, 3, 9)] == [0.5, 2, 8, MAX_WAIT_S / 2]
    assert wait_before_retry_s(None, 2, jitter=0) == 0


def test_a_wait_that_is_asked_for_is_never_shortened_and_spread_a_little() -> None:
    assert wait_before_retry_s(20, 1, jitter=0) == 20
    assert wait_before_retry_s(20, 1, jitter=0.5) == 20.5
    assert wait_before_retry_s(1, 1, jitter=0.5) == 1.05
    assert wait_before_retry_s(60, 1, jitter=0.9) == MAX_WAIT_S
