"""What the controls say, and what the engine is asked with."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import streamlit as st

from playground.forecast import Assumptions, volumes
from playground.gateway import Gateway, warm
from playground.loop import Agent
from playground.options import Settings
from playground.pipeline import Pipeline
from playground.proofs import counting
from playground.records import Assurance, Plan, Provenance
from playground.router import Router
from playground.ui.state.guards import runtime, with_guards
from playground.ui.state.session import notebook
from playground.workshop import make_agent, make_router

Mode = Literal["Rehearsal", "Live"]
DEFAULT_VOLUME = 100_000


@dataclass(frozen=True, slots=True)
class Knobs:
    """What the sidebar says."""

    plan: Plan = "kr-auto"
    mode: Mode = "Rehearsal"
    assurance: Assurance = "estimated"
    bar_shift: float = 0.0
    providers: frozenset[str] | None = None


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
    for key, margin in book.margins.items():
        result = result.with_stage(replace(result.stage(key), margin=margin))
    return replace(result, runtime=runtime())


def pipeline_as_set() -> Pipeline:
    """The same with the bars set in this session: what a download holds."""
    result = pipeline()
    for key, bar in notebook().bars.items():
        result = result.with_stage(replace(result.stage(key), bar=bar))
    return result


def settings() -> Settings:
    """The router's settings from the sidebar and the cells. Live runs only consider providers that can be called."""
    k, book = knobs(), notebook()
    shifted = {s.key: _clamp(book.bars.get(s.key, s.bar) + k.bar_shift) for s in book.pipeline.stages}
    reachable = frozenset(book.connections) if k.mode == "Live" else None
    return replace(
        book.limits,
        providers=k.providers,
        reachable=reachable,
        bars=shifted,
        pins=dict(book.pins),
        assurance=k.assurance,
    )


def _clamp(bar: float) -> float:
    return round(min(1.0, max(0.0, bar)), 3)


def router() -> Router:
    """A router for what is set now."""
    book = notebook()
    provenance: Provenance = "live" if knobs().mode == "Live" else "rehearsal"
    # Pairs that were rehearsed say nothing of live models.
    rehearsed = st.session_state.get("rehearsed_pairs", set()) if provenance == "live" else set()
    pairs = {key: found for key, found in book.own.pairs.items() if key not in rehearsed}
    own = replace(book.own, pairs=pairs, proofs=counting(book.own.proofs, provenance))
    return make_router(pipeline(), settings(), book.catalog, own)


def agent() -> Agent:
    """An agent for what is set now."""
    if knobs().mode == "Live":
        gateway = Gateway(notebook().connections, runtime().prompt_cache)
        return with_guards(make_agent(router(), gateway.complete, "live"), gateway)
    return with_guards(make_agent(router()))


@st.cache_resource
def warm_up() -> None:
    """Load the gateway's library in a thread, once for the server: it takes seconds that no call should be charged with."""
    threading.Thread(target=warm, name="warm-up", daemon=True).start()


def live_obstacle() -> str:
    """Why a live run cannot start, as a sentence; empty where it can."""
    if knobs().mode == "Rehearsal" or notebook().connections:
        return ""
    return "Live needs a key, a local server or an endpoint of your own. Add one in Settings, or choose Rehearsal."


def volume_choices() -> tuple[int, ...]:
    """The slider's steps, with the volumes that were typed or that a log shows."""
    return tuple(sorted({*volumes(), *st.session_state.get("own_volumes", ())}))


def offer_volume(tickets: int) -> None:
    """Put a volume on the slider, and set the slider to it."""
    st.session_state.own_volumes = {*st.session_state.get("own_volumes", ()), max(1, tickets)}
    st.session_state.volume = max(1, tickets)


def assumptions() -> Assumptions:
    """What the month is computed from; defaults where its page has not been opened."""
    base, get = Assumptions(), st.session_state.get
    return Assumptions(
        get("volume", base.tickets_per_month),
        get("again", base.again_share * 100) / 100,
        get("again_rounds", base.again_rounds),
        get("escalation", base.escalation_share * 100) / 100,
        Decimal(str(get("human_cost", base.human_cost_usd))),
        Decimal(str(get("fixed_cost", base.fixed_cost_usd))),
        get("growth", base.growth_share * 100) / 100,
        get("retries", base.retry_share * 100) / 100,
        Decimal(str(get("own_bill", base.bill_usd))),
        get("own_rounds", base.own_rounds),
    )
