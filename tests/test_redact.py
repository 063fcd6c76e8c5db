"""No key gets into a sentence, and ordinary sentences stay as they are."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.redact import REMOVED, Who, failure, redact, seconds_of

KEYS = (
    "sk-proj-Ab12Cd34Ef56Gh78",
    "sk-ant-api03-Ab12_Cd34-Ef56Gh78",
    "sk-Ab12Cd34***************Gh78",
    "gsk_Ab12Cd34Ef56Gh78Ij90",
    "AIzaSyAb12Cd34Ef56-Gh78_Ij90",
    "xai-Ab12Cd34Ef56Gh78Ij90",
    "hf_Ab12Cd34Ef56Gh78",
    "AKIAIOSFODNN7EXAMPLE",
    "Bearer Ab12Cd34Ef56",
    "Basic dXNlcjpwYXNzd29yZA==",
)
PLAIN = (
    "OpenAI refused the key. Check it in Settings.",
    "The risk-assessment desk-organiser task-manager is fine.",
    "Use claude-opus-4-5 or gemini/gemini-2.5-flash with a key of your own.",
    "No key for https://gateway.example.com/v1/chat/completions/internationalisation",
    "Basic information about the Basic plan of 2026.",
    "prompt_tokens: 1350, completion_tokens: 12",
)
secrets = st.text(string.ascii_letters + string.digits + "-_", min_size=8, max_size=60)
texts = st.text(max_size=80)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "around", ["{}", "Incorrect API key provided: {}.", '{{"error": "{}"}}', "Ünïcode {} …", "a\n{}\nb"]
)
def test_what_looks_like_a_key_is_removed(key: str, around: str) -> None:
    said = redact(around.format(key))
    assert REMOVED in said
    assert key not in said
    assert "Cd34" not in said


@pytest.mark.parametrize(
    "text",
    [
        "Invalid api-key: 0123456789abcdef0123456789abcdef",
        "secret='QWxhZGRpbjpvcGVuIHNlc2FtZTEyMzQ1Ng=='",
        "the API key provided was 0123456789abcdef0123456789abcdef, which is wrong",
    ],
)
def test_a_long_code_after_the_word_key_is_removed(text: str) -> None:
    said = redact(text)
    assert REMOVED in said
    assert "0123456789abcdef" not in said
    assert "QWxhZGRpbj" not in said


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_sentences_stay(text: str) -> None:
    assert redact(text, ["local"]) == text


def test_a_placeholder_is_no_secret() -> None:
    assert redact("The local server said no.", ["local", ""]) == "The local server said no."


@given(texts, secrets, texts)
def test_a_given_secret_never_survives(before: str, secret: str, after: str) -> None:
    assert secret not in redact(before + secret + after, [secret])


@given(texts, secrets, secrets)
def test_of_overlapping_secrets_nothing_survives(text: str, one: str, other: str) -> None:
    said = redact(f"{text} {one}{other} {one}", [one, other, one + other])
    assert one not in said
    assert other not in said


@given(texts, st.sampled_from(KEYS))
def test_redacting_twice_changes_nothing(text: str, key: str) -> None:
    once = redact(f"{text} {key}")
    assert redact(once) == once


@given(texts)
def test_a_strange_error_still_gets_a_sentence(text: str) -> None:
    why = failure(RuntimeError(text), Who("Acme", "m", "m", 1))
    assert why.kind == "malformed"
    assert why.message.startswith("Acme ")


def test_causes_that_form_a_ring_are_walked_once() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert failure(one, Who("Acme", "m", "m", 1)).kind == "malformed"


NOW = datetime(2026, 11, 26, 13, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Thu, 26 Nov 2026 13:00:30 GMT", 30.0),
        ("Thursday, 26-Nov-26 13:00:30 GMT", 30.0),
        ("Thu Nov 26 13:00:30 2026", 30.0),
        ("Thu, 26 Nov 2026 14:00:30 +0100", 30.0),
        ("Thu, 26 Nov 2026 12:00:00 GMT", 0.0),
        ("Thu, 99 Nov 2026 12:00:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("", None),
    ],
)
def test_a_wait_is_a_number_or_a_date_in_any_form_of_http(header: str, wait_s: float | None) -> None:
    assert seconds_of(header, NOW) == wait_s


@given(st.text(max_size=40))
def test_no_header_breaks_it(header: str) -> None:
    found = seconds_of(header, NOW)
    assert found is None or found >= 0
