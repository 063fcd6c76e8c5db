"""Cues are found where a person would find them, on the shipped tickets and on words that only look like them."""

from __future__ import annotations

import pytest

from playground import tickets
from playground.difficulty import cues, raised, retrieval_cues
from playground.records import Passage, Ticket


def names(text: str) -> set[str]:
    return {c.name for c in cues(Ticket("t", text))}


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ("01-double-charge-angry", {"anger", "questions"}),
        ("04-refund-beyond-policy", {"refund"}),
        ("05-api-bug-with-logs", {"length"}),
        ("06-account-takeover", {"security"}),
        ("07-german", {"language"}),
        ("08-spanish", {"language"}),
        ("11-data-export-gdpr", {"legal"}),
    ],
)
def test_the_shipped_tickets_show_what_makes_them_hard(sample: str, expected: set[str]) -> None:
    assert expected <= {c.name for c in cues(tickets.samples()[sample])}


@pytest.mark.parametrize(
    "text", ["How do I change my password?", "Please add Ana to our courtyard project.", "The hackney cab form"]
)
def test_a_plain_ticket_has_no_cue(text: str) -> None:
    assert names(text) == set()


def test_a_ticket_that_the_help_centre_hardly_answers_has_a_cue() -> None:
    weak, strong = (Passage("a", "A", "text", score) for score in (2.0, 8.0))
    assert [c.name for c in retrieval_cues((weak,))] == ["retrieval"]
    assert not list(retrieval_cues((weak, strong)))
    assert not list(retrieval_cues(()))


def test_the_same_ticket_gets_the_same_cues() -> None:
    ticket = tickets.samples()["01-double-charge-angry"]
    assert cues(ticket) == cues(ticket)


def test_only_the_stages_that_a_cue_is_about_are_raised_and_by_three_points_at_most() -> None:
    text = "My lawyer says this hack is UNACCEPTABLE SERVICE, refund me now against your policy"
    found = cues(Ticket("t", text))
    assert raised(0.9, "check", found).value == 0.93
    assert raised(0.9, "rerank", found).value == 0.9
    assert raised(0.995, "check", found).value == 0.995
