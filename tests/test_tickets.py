"""Tickets from text and files: what is cleaned, what is refused, and what is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import tickets
from playground.errors import BadTicket


@pytest.mark.parametrize("text", ["", "   \n\t ", "\u200b\u200b\ufeff", "\x00\x01"])
def test_a_ticket_without_words_is_refused(text: str) -> None:
    with pytest.raises(BadTicket, match="The ticket is empty"):
        tickets.from_text(text)


def test_a_megabyte_is_read_whole() -> None:
    assert len(tickets.from_text("word " * 200_000).text) == 999_999


def test_a_ticket_over_the_limit_says_both_numbers() -> None:
    with pytest.raises(BadTicket, match=r"2,000,001 characters; at most 2,000,000"):
        tickets.from_text("a" * 2_000_001)


def test_hidden_characters_are_removed_and_counted() -> None:
    ticket = tickets.from_text("pay\u200bpal \u202eevil\u202c \x07bell")
    assert ticket.text == "paypal evil  bell"
    assert ticket.notes == ("4 invisible characters were removed from the ticket.",)


@pytest.mark.parametrize(
    "text", ["שלום, החשבון שלי ננעל", "مرحبا، تم خصم المبلغ مرتين", "👩‍👩‍👧 hat's nicht 🇩🇪", "می‌خواهم"]
)
def test_right_to_left_text_and_joined_emoji_stay_whole(text: str) -> None:
    assert tickets.from_text(text).text == text
    assert tickets.from_text(text).notes == ()


def test_half_an_emoji_is_made_sendable() -> None:
    assert tickets.from_text("broken \ud83d emoji").text == "broken ? emoji"


def test_bytes_that_are_not_utf8_are_refused_with_their_place() -> None:
    with pytest.raises(BadTicket, match=r"mail.txt: byte 3 is not UTF-8"):
        tickets.from_bytes(b"abc\xff", "mail.txt")


@pytest.mark.parametrize("head", ["---\nid: [\n---\nbody", "---\ncreated_at: yesterday\n---\nbody"])
def test_a_broken_head_is_refused_in_a_sentence(head: str) -> None:
    with pytest.raises(BadTicket, match=r"mail.md: "):
        tickets.from_markdown(head, "mail.md")


def test_a_plain_mail_that_begins_with_dashes_is_read_whole() -> None:
    text = "---\nHello, I was charged twice.\n---\nSent from my phone"
    assert tickets.from_markdown(text, "mail.txt").text == text


def test_the_same_text_has_the_same_id_and_another_text_another() -> None:
    assert tickets.from_text("a").id == tickets.from_text("a").id != tickets.from_text("b").id


def test_the_samples_are_all_there_and_a_thread_has_turns() -> None:
    samples = tickets.samples()
    assert len(samples) >= 10
    thread = samples["12-sso-thread"]
    assert {t.role for t in thread.turns} == {"customer", "agent"}
    assert 1_200 < len(samples["05-api-bug-with-logs"].text.split()) < 1_800


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTicket, match="cannot be read"):
        tickets.from_file(tmp_path / "none.md")


@given(st.text())
def test_any_text_becomes_a_ticket_or_is_refused(text: str) -> None:
    try:
        ticket = tickets.from_text(text)
    except BadTicket:
        return
    assert ticket.text.strip()
    ticket.text.encode("utf-8")
