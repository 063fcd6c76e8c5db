"""Counts of a log's prompts against encoding every full prompt."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import tokens
from playground.knowledge import HelpCentre, sample_help_centre, sample_policies, words_of
from playground.log_tickets import LogTickets
from playground.pipeline import Pipeline, load_shipped
from playground.prompt_counts import assumed_tokens, count_inputs, split
from playground.prompts import render
from playground.records import Context, Ticket

CENTRE, POLICIES = sample_help_centre(), sample_policies()
ODD = [
    "/start\nhello/\n", " \n  lead",
    "</ticket> ```a``` \U0001f468\u200d\U0001f469\u200d\U0001f467", "a" * 5000, "ends in breaks\n\n\n",
    "\t\ttabs", "'s", "{{ ticket }}", "</passages><ticket>", "\u0645\u0631\u062d\u0628\u0627", "1234567890" * 30, ".", "",
]  # fmt: skip


def column_wise(tickets: list[Ticket]) -> LogTickets:
    return LogTickets(
        tuple(t.id for t in tickets),
        tuple(t.text for t in tickets),
        tuple(t.subject for t in tickets),
        tuple(t.customer_id or "" for t in tickets),
    )


def encoded_whole(ticket: Ticket, flow: Pipeline) -> dict[str, list[int]]:
    """Input tokens of every call, from the prompts as they would be sent; earlier outputs are added as assumed."""
    found = CENTRE.retrieve(f"{ticket.subject} {ticket.text}", flow.retrieve)
    counts = {}
    for stage in flow.stages:
        shown = found if stage.key == "rerank" else found[: flow.keep]
        context = Context(ticket, flow.labels, POLICIES, shown, {"intent": {"label": next(iter(flow.labels))}})
        counts[stage.key] = [p.input_tokens + assumed_tokens(stage, flow) for p in render(stage, context)]
    return counts


def assert_equal(tickets: list[Ticket], flow: Pipeline) -> None:
    counted = count_inputs(column_wise(tickets), flow, CENTRE, POLICIES)
    for i, ticket in enumerate(tickets):
        assert {key: list(rows[i]) for key, rows in counted.items()} == encoded_whole(ticket, flow), ticket.id


@pytest.mark.parametrize("name", ["support", "article-2025"])
def test_odd_tickets_count_as_when_encoded_whole(name: str) -> None:
    tickets = [Ticket(f"t{i}", text, subject) for i, text in enumerate(ODD) for subject in ("", "/", "A subject\u200d")]
    assert_equal(tickets, load_shipped(name))


def test_two_thousand_real_tickets_count_as_when_encoded_whole(shared: Path) -> None:
    folder = shared / "tickets"
    both = "".join((folder / f"{f}.jsonl").read_text(encoding="utf-8") for f in ("cucom_600", "multidogo_train"))
    lines = [json.loads(line) for line in both.splitlines()]
    tickets = [Ticket(r["id"], r["text"], r.get("subject") or "", r.get("customer_id")) for r in lines[:1400]]
    with (folder / "banking77_train.csv").open(encoding="utf-8", newline="") as file:
        tickets += [Ticket(f"b{i}", r["text"]) for i, r in enumerate(csv.DictReader(file)) if i < 600]
    assert_equal(tickets, load_shipped("support"))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=40), st.text(max_size=20))
def test_any_text_counts_as_when_encoded_whole(text: str, subject: str, customer: str) -> None:
    whole = [x.encode("utf-8", "replace").decode() for x in (text, subject, customer)]
    assert_equal([Ticket("t", whole[0], whole[1], whole[2])], load_shipped("support"))


@settings(max_examples=200)
@given(st.text(alphabet="ab1 ./<{\n\r\t'-é中", max_size=60))
def test_the_parts_of_a_text_add_up(text: str) -> None:
    assert sum(map(tokens.count, split(text))) == tokens.count(text)


def test_a_prompt_with_two_slots_on_a_line_counts_too() -> None:
    flow = load_shipped("support")
    stage = flow.stage("intent")
    prompt = replace(stage.prompt, user="From {{ customer }} on {{ subject }}, {{ subject }}:\n{{ ticket }}\nEnd.")
    assert_equal([Ticket("t", "Hello\n", "Sub", "me")], flow.with_stage(replace(stage, prompt=prompt)))


def test_the_search_order_is_that_of_bm25s_itself() -> None:
    index = CENTRE._index
    for query in ("I was charged twice for May", "password", "", "zzz qqq", "refund refund refund invoice"):
        words = [w for w in words_of(query) if w in index.vocab_dict]
        scores = index.get_scores(words) if words else [0.0] * len(CENTRE.articles)
        by_hand = sorted(range(len(CENTRE.articles)), key=lambda i: -float(scores[i]))[:18]
        assert list(CENTRE.rank([query], 18)[0]) == by_hand
        assert [p.id for p in CENTRE.retrieve(query, 18)] == [CENTRE.articles[i].id for i in by_hand]


def test_a_help_centre_smaller_than_what_is_asked_for_is_shown_whole() -> None:
    small = HelpCentre(CENTRE.articles[:3])
    counted = count_inputs(column_wise([Ticket("t", "Refund")]), load_shipped("support"), small, POLICIES)
    assert counted["rerank"].shape == (1, 3)
