"""The session's state: the only place that touches `st.session_state`."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import Literal

import streamlit as st

from playground import pipeline as pipelines
from playground import tickets
from playground.bill import PlanBill, bills
from playground.catalog import Catalog, load_catalog
from playground.forecast import Assumptions
from playground.gateway import Connection, Gateway, keys_from, warm
from playground.loop import Agent
from playground.options import Settings
from playground.pipeline import Pipeline, PromptTemplate
from playground.records import Assurance, Plan, Step, Ticket, Trace
from playground.router import Router
from playground.ui.runner import Run
from playground.workshop import make_agent, make_router

Mode = Literal["Rehearsal", "Live"]
REHEARSAL_WAIT_S = 1.5
DEFAULT_VOLUME = 100_000
CELL_KEYS = (
    "pin_",
    "bar_draft",
    "bar_intent",
    "bar_rerank",
    "bar_check",
    "bar_respond",
    "bar_summarise",
    "system_",
    "user_",
)
"""Widgets of the cells, whose values belong to one pipeline."""


@dataclass
class Notebook:
    """One session's work. `marks` holds, for each stage, the fingerprint of what its step was run on."""

    ticket: Ticket
    pipeline: Pipeline
    steps: dict[str, Step] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    edits: dict[str, PromptTemplate] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)
    bars: dict[str, float] = field(default_factory=dict)
    agent: Agent | None = None
    ran_ticket: Ticket | None = None
    plan: Plan = "kr-auto"
    run: Run | None = None
    pending: dict[str, str] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=load_catalog)
    volume_moved: bool = False
    bills: tuple[object, dict[Plan, PlanBill]] | None = None


@dataclass(frozen=True, slots=True)
class Knobs:
    """What the sidebar says."""

    plan: Plan = "kr-auto"
    mode: Mode = "Rehearsal"
    assurance: Assurance = "estimated"
    bar_shift: float = 0.0
    providers: frozenset[str] | None = None


def notebook() -> Notebook:
    """The session's notebook; a new session starts on the first sample ticket."""
    if "notebook" not in st.session_state:
        st.session_state.notebook = Notebook(
            _first_ticket(), pipelines.load_shipped("support"), connections=keys_from(os.environ, secrets())
        )
    found: Notebook = st.session_state.notebook
    return found


def _first_ticket() -> Ticket:
    """The sample that the URL names by its title, else the first."""
    wanted = st.query_params.get("sample")
    found = (t for name, t in tickets.samples().items() if wanted in (None, name, tickets.sample_title(name)))
    return next(found, next(iter(tickets.samples().values())))


def knobs() -> Knobs:
    """The sidebar's values, or the defaults where a page runs on its own."""
    get = st.session_state.get
    chosen = get("providers")
    everyone = set(notebook().catalog.providers)
    providers = None if not chosen or set(chosen) == everyone else frozenset(chosen)
    return Knobs(
        get("plan") or "kr-auto",
        get("mode") or "Rehearsal",
        get("assurance") or "estimated",
        get("bar_shift") or 0.0,
        providers,
    )


def pipeline() -> Pipeline:
    """The chosen pipeline with this session's prompt edits."""
    book = notebook()
    result = book.pipeline
    for key, prompt in book.edits.items():
        result = result.with_stage(replace(result.stage(key), prompt=prompt))
    return result


def settings() -> Settings:
    """The router's settings from the sidebar and the cells. Live runs only consider providers that can be called."""
    k, book = knobs(), notebook()
    shifted = {s.key: _clamp(book.bars.get(s.key, s.bar) + k.bar_shift) for s in book.pipeline.stages}
    providers = k.providers
    if k.mode == "Live":
        reachable = frozenset(book.connections)
        providers = reachable if providers is None else reachable & (providers | _endpoints(book))
    return Settings(providers=providers, bars=shifted, pins=dict(book.pins), assurance=k.assurance)


def _endpoints(book: Notebook) -> frozenset[str]:
    return frozenset(m.endpoint for m in book.catalog.models if m.endpoint)


def _clamp(bar: float) -> float:
    return round(min(1.0, max(0.0, bar)), 3)


def router() -> Router:
    """A router for what is set now."""
    book = notebook()
    return make_router(pipeline(), settings(), None if book.catalog is load_catalog() else book.catalog)


def agent() -> Agent:
    """An agent for what is set now."""
    if knobs().mode == "Live":
        return make_agent(router(), Gateway(notebook().connections).complete, "live")
    return make_agent(router())


@st.cache_resource
def warm_up() -> None:
    """Load the gateway's library in a thread, once for the server: it takes seconds that no call should be charged with."""
    threading.Thread(target=warm, name="warm-up", daemon=True).start()


def fingerprints() -> dict[str, str]:
    """For each stage, a digest of everything its result depends on, upstream stages included."""
    book, k, rules, flow = notebook(), knobs(), settings(), pipeline()
    providers = sorted(rules.providers) if rules.providers is not None else "all"
    chain = _digest(
        book.ticket.text, book.ticket.subject, book.ticket.customer_id, k.plan, k.mode, k.assurance, providers
    )
    chain = _digest(chain, flow.retrieve, flow.keep, sorted(flow.labels.items()))
    marks = {}
    for stage in flow.stages:
        pin, bar = book.pins.get(stage.key), rules.bars[stage.key]
        chain = _digest(chain, stage.prompt, stage.before, stage.calls, flow.tiers[stage.tier], pin, bar)
        marks[stage.key] = chain
    return marks


def _digest(*parts: object) -> str:
    return sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:16]


def stale() -> tuple[str, ...]:
    """Stages to run again: not run, not finished, or run on something else than what is set now."""
    book, marks = notebook(), fingerprints()
    return tuple(key for key, mark in marks.items() if not _is_done(book, key) or book.marks.get(key) != mark)


def _is_done(book: Notebook, key: str) -> bool:
    return key in book.steps and book.steps[key].state == "done"


def is_running() -> bool:
    """Whether a background run goes on."""
    run = notebook().run
    return run is not None and run.state == "running"


def cell_state(stage: str) -> tuple[str, Step | None]:
    """A cell's word and its step: fresh, stale, running, waiting, failed, cancelled, blocked or not run."""
    book = notebook()
    if book.run is not None and book.run.state == "running":
        landed = {s.stage: s for s in book.run.steps}
        if stage in landed:
            return _word(stage, landed[stage], book.pending), landed[stage]
        current = next(s.key for s in book.pipeline.stages if s.key not in landed)
        return ("running" if stage == current else "waiting"), None
    if stage in book.steps:
        return _word(stage, book.steps[stage], book.marks), book.steps[stage]
    return ("blocked" if any(s.state != "done" for s in book.steps.values()) else "not run"), None


def _word(stage: str, step: Step, marks: Mapping[str, str]) -> str:
    if st.session_state.get("ticket_error") or marks.get(stage) != fingerprints()[stage]:
        return "stale"
    return "fresh" if step.state == "done" else step.state


def proven_line() -> str:
    """How much of the saving a shadow evaluation has proven."""
    book = notebook()
    proven = sum(o.quality.proven for s in book.steps.values() for o in s.decision.considered if o.code == "chosen")
    return f"Proven so far: {proven} of {len(book.pipeline.stages)} stages."


def start_run(first: str | None = None) -> None:
    """Run the stages from `first` on (all of them by default), keeping the steps before it.

    A stale stage before `first` runs again too: no result is called fresh that was made from a stale one. Does nothing while
    a run goes on.
    """
    if is_running():
        return
    book = notebook()
    order = [s.key for s in book.pipeline.stages]
    kept = order[: min(order.index(key) for key in (first, *stale()))] if first else []
    done = [book.steps[key] for key in kept]
    fresh = fingerprints()
    book.pending = {s.key: book.marks.get(s.key, "") if s.key in kept else fresh[s.key] for s in book.pipeline.stages}
    wait = REHEARSAL_WAIT_S if knobs().mode == "Rehearsal" else 0.0
    book.run = Run(agent(), book.ticket, knobs().plan, done).start(wait)
    collect()


def cancel() -> None:
    """Ask the running run to stop."""
    run = notebook().run
    if run is not None:
        run.cancel()


def collect() -> None:
    """Take a finished run's steps into the notebook. The frame calls it before every page, so no result waits unseen."""
    book = notebook()
    if book.run is None:
        return
    if book.run.state == "running":
        book.run.look()
        return
    if not book.run.steps and book.steps:
        return
    book.agent, book.plan, book.ran_ticket = book.run.agent, book.run.plan, book.run.ticket
    book.steps = {s.stage: s for s in book.run.steps}
    book.marks = {key: book.pending[key] for key in book.steps}


def trace() -> Trace | None:
    """What ran last, as a trace; `None` before the first run."""
    book = notebook()
    if book.agent is None or not book.steps:
        return None
    steps = tuple(book.steps[s.key] for s in book.pipeline.stages if s.key in book.steps)
    return Trace(book.ran_ticket or book.ticket, book.agent.pipeline.name, book.plan, book.agent.provenance, steps)


def plan_bills() -> dict[Plan, PlanBill] | None:
    """The three plans' bills for what ran last, on the settings it ran with; computed once for each result."""
    book, done = notebook(), trace()
    if done is None or book.agent is None:
        return None
    key = tuple(id(s) for s in done.steps)
    if book.bills is None or book.bills[0] != key:
        book.bills = (key, bills(done, book.agent.router))
    return book.bills[1]


def is_whole() -> bool:
    """Whether what ran last got through every stage; a part of a ticket says nothing about a month."""
    done = trace()
    return (
        done is not None
        and len(done.steps) == len(notebook().pipeline.stages)
        and all(s.state == "done" for s in done.steps)
    )


def unpriced(plans: Mapping[Plan, PlanBill]) -> str:
    """Which plans have a call without a price, as a sentence; empty where none has. Their sums must not be compared."""
    found = [f"{plan} is {bill.total}" for plan, bill in plans.items() if bill.total.exact_usd is None]
    return f"{'; '.join(found)}." if found else ""


def live_obstacle() -> str:
    """Why a live run cannot start, as a sentence; empty where it can."""
    if knobs().mode == "Rehearsal" or notebook().connections:
        return ""
    return "Live needs a key, a local server or an endpoint of your own. Add one in Settings, or choose Rehearsal."


def assumptions() -> Assumptions:
    """What the month is computed from; defaults where its page has not been opened."""
    base, get = Assumptions(), st.session_state.get
    return Assumptions(
        get("volume", base.tickets_per_month),
        get("p95_loop", base.p95_loop_factor),
        get("escalation", base.escalation_share * 100) / 100,
        Decimal(str(get("human_cost", base.human_cost_usd))),
        Decimal(str(get("fixed_cost", base.fixed_cost_usd))),
    )


def volume_moves() -> None:
    """Note that the slider was moved: the page's headline speaks of another volume now."""
    notebook().volume_moved = True


def take_volume_moved() -> bool:
    """Whether the slider was moved since this was last asked."""
    book = notebook()
    moved, book.volume_moved = book.volume_moved, False
    return moved


def set_ticket(ticket: Ticket) -> None:
    """Work on another ticket; results of the old one stay on screen, marked stale, until the next run."""
    notebook().ticket = ticket


def set_pipeline(flow: Pipeline) -> None:
    """Work with another pipeline; its stages start without edits, pins or results."""
    cancel()
    book = notebook()
    for key in [k for k in st.session_state if str(k).startswith(CELL_KEYS)]:
        del st.session_state[key]
    st.session_state.notebook = Notebook(book.ticket, flow, connections=book.connections, catalog=book.catalog)


def secrets() -> Mapping[str, str]:
    """Keys from `.streamlit/secrets.toml`; empty where there is no such file."""
    try:
        return {k: str(v) for k, v in st.secrets.items() if isinstance(v, str)}
    except (FileNotFoundError, st.errors.StreamlitSecretNotFoundError):
        return {}


def run_router() -> Router:
    """The router of what ran last. Needs a finished run."""
    book = notebook()
    assert book.agent is not None
    return book.agent.router
