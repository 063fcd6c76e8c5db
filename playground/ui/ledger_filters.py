"""Which receipts the page of receipts shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, cast

import streamlit as st

from playground.digest.words import stage_title
from playground.ledger import By, Filter
from playground.records import PLANS, PURPOSES, Provenance
from playground.ui import state
from playground.ui.widgets import PROVENANCE

NOBODY = "(no customer named)"
LONGEST_NAME = 80
ORDER: tuple[Provenance, ...] = ("live", "rehearsal", "recorded")
KEEP: dict[str, Any] = {"persist_state": "session"}


def provenance_choice() -> Provenance | None:
    """One provenance of those that the ledger holds, what was paid first; `None` where it is empty."""
    held = {s.key[0] for s in state.ledger().spend(("provenance",), tickets=False)}
    kept = [p for p in ORDER if p in held]
    if not kept:
        return None
    chosen = st.segmented_control(
        "Receipts", kept, default=kept[0], required=True, key="ledger_kind", format_func=str.capitalize, **KEEP
    )
    st.caption(f"{PROVENANCE[chosen]} Kinds are never added up.")
    return cast(Provenance, chosen)


def filters(provenance: Provenance) -> Filter:
    """The controls, and what they say."""
    whole = Filter(provenance)
    with st.expander("Filter", icon=":material/filter_list:"):
        a, b, c = st.columns(3)
        with a:
            since, until = _days()
        with b:
            models = _several("Models", "model", whole)
        with c:
            stages = _several("Stages", "stage", whole, stage_name)
        a, b, c = st.columns(3)
        with a:
            customers = _several("Customers", "customer", whole)
        with b:
            plans = st.multiselect("Plans", PLANS, key="ledger_plans", placeholder="All", **KEEP)
        with c:
            purposes = st.multiselect("Made for", PURPOSES, key="ledger_purposes", placeholder="All", **KEEP)
    return Filter(provenance, since, until, customers, stages, models, tuple(plans), tuple(purposes))


def _days() -> tuple[date | None, date | None]:
    held = state.ledger().days()
    if held is None:
        return None, None
    picked = st.date_input("Days, UTC", held, *held, key=f"ledger_days_{held[0]}_{held[1]}")
    found: Sequence[date] = picked if isinstance(picked, tuple) else (picked,)
    return (found[0], found[-1]) if len(found) == 2 else (None, None)


def _several(label: str, by: By, where: Filter, shown: Callable[[str], str] | None = None) -> tuple[str, ...]:
    names = state.ledger().names(by, where)
    chosen = st.multiselect(
        label, names, key=f"ledger_{by}", format_func=shown or shown_name, placeholder="All", **KEEP
    )
    return tuple(chosen)


def stage_name(key: str) -> str:
    """A stage's title in this session's agent, else in the shipped one, else its key written like a title."""
    own = next((s.title for s in state.pipeline().stages if s.key == key), None)
    return shown_name(own or stage_title(key))


def shown_name(name: str) -> str:
    """A name that fits its place; who is not named is said to be nobody."""
    return NOBODY if not name else name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
