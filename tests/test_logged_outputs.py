"""Outputs that were logged elsewhere, scored here."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest

from playground.bounded import Unit
from playground.errors import BadInput
from playground.logged_outputs import Logged, completed, logged_work, read_outputs
from playground.logs import LogRead
from playground.pairs import Pair, from_payload
from playground.pipeline import load_shipped
from playground.records import Ticket
from playground.scoring import Judge, fit_judges
from playground.workshop import make_agent, make_router

ROUTER = make_router(load_shipped("support"))
AGENT = make_agent(ROUTER)
FLOW = ROUTER.pipeline


def pair(stage: str, current: str, candidate: str, truth: str | None = None, by: Judge | None = None) -> Pair:
    logged = Logged(Ticket("t", "Where is my invoice?", customer_id="acme"), "billing", current, candidate, truth)
    done = logged_work(AGENT, FLOW.stage(stage), "c", by, [logged], keep_texts=True)(Unit("0", Decimal(1)), Event())
    return from_payload(done.payload["pairs"]["c"])


@pytest.mark.parametrize(
    ("stage", "current", "candidate", "truth", "value", "kind"),
    [
        ("intent", "refund_request", "refund_request", None, 0.0, "label agreement"),
        ("intent", "double_charge", "other", None, -1.0, "label agreement"),
        ("intent", "double_charge", "other", "other", 1.0, "accuracy"),
        ("rerank", "a, b, c", "a, b, c", None, 0.0, "rank agreement"),
        ("check", "P1, P2", "P1", None, -0.5, "findings agreement"),
        ("check", "", "", None, 0.0, "findings agreement"),
        ("summarise", "Invoice asked for.", "", None, -1.0, "failed"),
    ],
)
def test_bare_outputs_are_compared(
    stage: str, current: str, candidate: str, truth: str | None, value: float, kind: str
) -> None:
    labels = list(FLOW.labels)
    words = {"refund_request": labels[0], "double_charge": labels[1], "other": labels[2]}
    found = pair(stage, words.get(current, current), words.get(candidate, candidate), words.get(truth or ""))
    assert (found.value, found.kind, found.provenance, found.customer) == (value, kind, "recorded", "acme")


def test_answers_are_judged_and_a_rehearsed_judge_makes_a_rehearsed_pair() -> None:
    arms = ROUTER.named(FLOW.stage("draft").before), ROUTER.named("gpt-5.4-mini")
    by = Judge.shipped(fit_judges(ROUTER.catalog, *arms)[0], AGENT.complete, "rehearsal")
    found = pair("draft", "Your invoice is in Billing.", "Your invoice is in Billing, under Documents.", by=by)
    assert (found.kind, found.provenance, len(found.outcomes)) == ("judge", "rehearsal", 2)
    assert found.texts == (
        "Where is my invoice?",
        "Your invoice is in Billing.",
        "Your invoice is in Billing, under Documents.",
    )


def test_json_outputs_are_taken_as_they_are() -> None:
    whole = json.dumps({"label": next(iter(FLOW.labels)), "language": "en", "confidence": 0.9})
    assert completed(FLOW.stage("intent"), whole) == whole
    assert completed(FLOW.stage("draft"), "") is None


def test_outputs_are_read_and_a_ticket_that_comes_twice_is_named(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    rows = (
        {"ticket": "a", "current": {"label": "x"}, "candidate": "y", "customer": "acme"},
        {"ticket": "a", "current": "", "candidate": ""},
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    read = LogRead()
    found = list(read_outputs(path, read))
    assert [(o.ticket.id, o.current, o.candidate, o.ticket.customer_id) for o in found] == [
        ("a", '{"label": "x"}', "y", "acme")
    ]
    assert "stood before" in read.problems[0].reason
    path.write_text('{"a": 1}\n')
    with pytest.raises(BadInput, match="current and candidate"):
        list(read_outputs(path))
