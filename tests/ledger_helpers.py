"""Entries for tests of the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from playground.records import Entry, Event, Receipt, Usage

AT = datetime(2026, 11, 1, 8, tzinfo=UTC)


def receipt(**changes: Any) -> Receipt:
    """A receipt, with what a test wants changed."""
    usual: dict[str, Any] = {
        "ticket_id": "t1", "pipeline": "support", "plan": "kr-auto", "stage": "draft", "call": 1, "attempt": 1,
        "model": "gpt-5.4-mini", "provider": "OpenAI", "effort": "default", "usage": Usage(1_000, 100, counted="provider"),
        "cost_usd": Decimal("0.0012"), "price_as_of": date(2026, 10, 21), "provenance": "live", "outcome": "ok",
        "latency_s": 0.5,
    }  # fmt: skip
    return Receipt(**(usual | changes))


def entry(
    day: int = 0, customer: str | None = "acme", run: str = "run", purpose: Any = "ticket", **changes: Any
) -> Entry:
    """An entry `day` days after the first of November; `before` is its cost on today's model."""
    before, text = changes.pop("before", Decimal("0.01")), changes.pop("text", None)
    sure = changes.pop("assurance", None)
    made = receipt(**changes)
    used = before if made.outcome == "ok" and purpose in ("ticket", "sample") else None
    return Entry(made, AT + timedelta(days=day), run, purpose, customer, "d" * 16, used, text, sure)


def event(day: int = 0, customer: str | None = "acme", **changes: Any) -> Event:
    """An event."""
    usual: dict[str, Any] = {"kind": "handover", "subject": "check", "said": "gate: unsure.", "provenance": "live"}
    return Event(AT + timedelta(days=day), **(usual | changes), customer=customer)


MONEY = st.integers(0, 10**13).map(lambda n: Decimal(n).scaleb(-12)) | st.none()
CUSTOMERS = st.sampled_from(["acme", "Zoë, <b>Ltd</b>", "=cmd()", "\U0001f600", "nul\0l", "\ud800", None])
COUNTS = st.integers(0, 10**6)
USAGES = st.builds(
    Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.sampled_from(["provider", "tokenizer", "estimate"])
)
ENTRIES = st.builds(
    entry,
    st.integers(0, 3),
    CUSTOMERS.filter(lambda c: c != "\ud800"),
    st.sampled_from(["run-1", "run-2"]),
    st.sampled_from(["ticket", "sample", "shadow", "second opinion"]),
    before=MONEY,
    assurance=st.sampled_from(["estimated", "proven", None]),
    text=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    ticket_id=st.sampled_from(["t1", "t2", "t3"]),
    pipeline=st.sampled_from(["support", "rag"]),
    plan=st.sampled_from(["before", "stratified", "kr-auto"]),
    stage=st.sampled_from(["intent", "draft", "judge"]),
    call=st.integers(0, 3),
    attempt=st.integers(1, 4),
    model=st.sampled_from(["gpt-5.4-mini", "claude-opus-5"]),
    effort=st.sampled_from(["default", "high"]),
    usage=USAGES,
    cost_usd=MONEY,
    price_as_of=st.none() | st.dates(),
    provenance=st.sampled_from(["rehearsal", "live", "recorded"]),
    outcome=st.sampled_from(["ok", "rejected", "failed", "cancelled"]),
    latency_s=st.none() | st.floats(0, 100),
    first_token_s=st.none() | st.floats(0, 100),
    failure=st.sampled_from([None, "timeout", "server"]),
    source=st.sampled_from(["model", "exact cache", "semantic cache"]),
    rule=st.sampled_from(["", "failover: openai was down"]),
    waited_s=st.floats(0, 10),
    saved=st.none() | USAGES,
    saved_usd=MONEY,
)
"""Any entry: every field in turn."""
