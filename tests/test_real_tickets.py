"""Five hundred real tickets through the whole loop in rehearsal; skipped where the shared data is absent."""

from __future__ import annotations

import csv
import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from playground import tickets
from playground.bill import bills
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.records import Ticket, Trace
from playground.workshop import make_agent, make_router


def real(folder: Path) -> list[Ticket]:
    with (folder / "banking77_train.csv").open(encoding="utf-8", newline="") as file:
        banking = [row["text"] for row in islice(csv.DictReader(file), 0, 8_000, 40)]
    threads = []
    for name, step in (("multidogo_train.jsonl", 16), ("cucom_600.jsonl", 4)):
        with (folder / name).open(encoding="utf-8") as file:
            threads += [json.loads(line)["text"] for line in islice(file, 0, None, step)]
    return [tickets.from_text(text) for text in (*banking, *threads) if text.strip()]


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    folder = Path(__file__).resolve().parents[2] / "shared" / "data" / "tickets"
    if not folder.is_dir():
        pytest.skip("the shared data folder is not on this machine")
    agent = make_agent(make_router(load_shipped("support")))
    return [run_all(agent, ticket, "kr-auto") for ticket in real(folder)]


def test_five_hundred_pass_through_the_loop(traces: list[Trace]) -> None:
    assert len(traces) >= 500
    whole = [t for t in traces if [s.state for s in t.steps] == ["done"] * 6]
    # A stage whose output is spoiled on both candidates hands over to a person; that is rare and no error.
    assert len(whole) >= 0.99 * len(traces)
    for trace in traces:
        assert all(s.state == "done" for s in trace.steps[:-1])
        assert trace.steps[-1].state == "done" or trace.steps[-1].message


def test_every_receipt_is_priced_and_every_bill_adds_up(traces: list[Trace]) -> None:
    router = make_router(load_shipped("support"))
    for trace in traces[::25]:
        plans = bills(trace, router)
        assert plans["kr-auto"].total.exact_usd == sum(r.cost_usd for r in trace.receipts)  # type: ignore[misc]
        assert plans["kr-auto"].total.known_usd < plans["before"].total.known_usd


def test_different_tickets_get_different_labels(traces: list[Trace]) -> None:
    labels = Counter(t.steps[0].output["label"] for t in traces)  # type: ignore[index,call-overload]
    assert len(labels) >= 6
