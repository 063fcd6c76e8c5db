"""Runs to record, and what they must look like when they are read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from playground import tickets
from playground.catalog import Catalog, load_catalog
from playground.json_file import digest
from playground.loop import Agent, run_all
from playground.pipeline import load_shipped
from playground.recorded import save
from playground.records import Completion, Plan, Request, Ticket, Trace, Usage
from playground.watch import Watch
from playground.workshop import make_agent, make_router

MADE_AT = datetime(2026, 11, 12, 9, 30, tzinfo=UTC)
FEW = ("gpt-5.4", "gpt-5.4-mini", "claude-opus-4-5", "claude-sonnet-4-6", "claude-haiku-4-5", "gemini-2.5-flash-lite",
       "claude-opus-4-1")  # fmt: skip


def small_catalog() -> Catalog:
    """The models that the shipped agent names and a few more: what a readable golden file needs."""
    flow = load_shipped("support")
    named = {*flow.tiers.values(), *(s.before for s in flow.stages), *(s.reference for s in flow.stages), *FEW}
    known = load_catalog()
    kept = {known.by_name(n).name for n in named if n}
    return Catalog(tuple(m for m in known.models if m.name in kept))


@cache
def rehearsed(ticket: Ticket | None = None, plan: Plan = "kr-auto") -> tuple[Trace, Agent]:
    """A rehearsal over the small catalogue."""
    agent = make_agent(make_router(load_shipped("support"), catalog=small_catalog()))
    return run_all(agent, ticket or tickets.samples()["02-password-reset"], plan), agent


def lived(says: Callable[[str], str] = str, ticket: Ticket | None = None) -> tuple[Trace, Agent]:
    """A run that looks as if models had answered: metered tokens, a cache read, seconds."""
    inner = make_agent(make_router(load_shipped("support"), catalog=small_catalog()))

    def complete(request: Request, watch: Watch) -> Completion:
        done = inner.complete(request, watch)
        used = Usage(done.usage.input_tokens, done.usage.output_tokens + 7, 64, 0, 7, "provider")
        return replace(done, text=says(done.text), usage=used, provenance="live", latency_s=0.25, first_token_s=0.1)

    agent = replace(inner, complete=complete, provenance="live")
    return run_all(agent, ticket or tickets.samples()["02-password-reset"], "kr-auto"), agent


def as_recorded(trace: Trace) -> Trace:
    """The same trace as a replay shows it."""
    steps = (
        replace(s, attempts=tuple(replace(a, receipt=replace(a.receipt, provenance="recorded")) for a in s.attempts))
        for s in trace.steps
    )
    return replace(trace, provenance="recorded", steps=tuple(steps))


def saved_tree(trace: Trace, agent: Agent) -> dict[str, Any]:
    """The file as plain values, to be edited."""
    found: dict[str, Any] = json.loads(save(trace, agent.router, made_at=MADE_AT))
    return found


def raw_of(tree: dict[str, Any], sign: bool = True) -> bytes:
    """An edited file; with `sign` its digest fits again, so that only the edit itself can be noticed."""
    return json.dumps({**tree, "digest": digest(tree)} if sign else tree).encode()
