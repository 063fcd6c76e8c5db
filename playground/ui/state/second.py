"""Second opinions that runs of this session asked for by themselves: in the notebook, and in the sample of the log."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import streamlit as st

from playground.money import ZERO
from playground.opinions import as_sample
from playground.records import Provenance, Trace
from playground.second_opinion import Sample


@dataclass(frozen=True, slots=True)
class AskedSecond:
    """One second opinion at a stage, and what it cost; `sample` is `None` where nobody could tell."""

    stage: str
    provenance: Provenance
    sample: Sample | None
    cost_usd: Decimal
    """As far as its calls have a price."""
    share: float
    """Of tickets, that were drawn on average."""


def note_second(trace: Trace, share: float) -> None:
    """Keep what a notebook's run asked for; a ticket that runs again replaces its own."""
    known = dict(st.session_state.get("second_opinions", {}))
    for stage, found in trace.second_opinions:
        cost = sum((r.cost_usd for r in found.receipts if r.cost_usd is not None), ZERO)
        known[trace.ticket.customer_id, trace.ticket.id, stage, trace.provenance] = AskedSecond(
            stage, trace.provenance, as_sample(trace.ticket.id, found), cost, share
        )
    st.session_state.second_opinions = known


def asked_second(stage: str, provenance: Provenance) -> tuple[AskedSecond, ...]:
    """What runs of this kind have asked for at a stage: the notebook's first, then the sample's, in their order."""
    noted: dict[object, AskedSecond] = st.session_state.get("second_opinions", {})
    found = (*noted.values(), *_of_sample())
    return tuple(a for a in found if (a.stage, a.provenance) == (stage, provenance))


def _of_sample() -> list[AskedSecond]:
    desk: Any = st.session_state.get("sample_desk")
    if desk is None:
        return []
    share = desk.agent.pipeline.runtime.second_opinions or 1.0
    found: list[AskedSecond] = []
    for second in (s for p in desk.payloads.values() for s in p.get("second", ())):
        costs = [Decimal(r["cost_usd"]) for r in second["receipts"] if r["cost_usd"] is not None]
        known = second["disagrees"]
        sample = None if known is None else Sample(second["ticket"], second["probability"], known)
        found.append(AskedSecond(second["stage"], desk.agent.provenance, sample, sum(costs, ZERO), share))
    return found
