"""What the router may use and spend."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import streamlit as st

from playground.benchmark_scale import EFFORTS
from playground.money import usd
from playground.options import Settings
from playground.ui import state


def limits() -> None:
    """Draw the limits; they hold for every stage and are applied together."""
    st.subheader("Limits")
    with st.form("limits", border=False):
        found = _asked(state.notebook().limits)
        saved = st.form_submit_button("Apply", type="primary")
    st.caption(
        "Budgets are checked before each stage, against its list price at the usual answer length: what is over them "
        "does not start, the current model neither, and the run stops and says so."
    )
    if saved:
        state.notebook().limits = found
        state.say(f"Limits set: {_said()}. Run the ticket again to see what they change.")
        st.rerun()


def _asked(now: Settings) -> Settings:
    """The limits as the controls have them."""
    catalog = state.notebook().catalog
    a, b, c = st.columns(3)
    preferred = a.multiselect(
        "Preferred providers",
        catalog.providers,
        sorted(now.preferred),
        help="One of them wins while its model is at most 10% dearer than the cheapest.",
        placeholder="None",
    )
    models = [m.name for m in catalog.models]
    never = b.multiselect("Never choose", models, sorted(now.never), placeholder="No model")
    efforts = c.multiselect(
        "Thinking efforts allowed",
        EFFORTS,
        sorted(now.efforts or (), key=EFFORTS.index),
        help="How much a model may think before it answers. Empty means any.",
        placeholder="Any",
    )
    with a:
        call = _budget("Most a call may cost, USD", "limit_call", now.call_budget_usd)
    with b:
        ticket = _budget("Most a ticket may cost, USD", "limit_ticket", now.ticket_budget_usd)
    days = c.number_input("Days to retirement, at least", 0, 3650, now.min_days_to_retirement)
    raise_bars = st.toggle("A hard ticket raises the bar", now.raise_bars, help=HARD)
    return replace(
        now,
        preferred=frozenset(preferred),
        never=frozenset(never),
        efforts=frozenset(efforts) or None,
        call_budget_usd=call,
        ticket_budget_usd=ticket,
        min_days_to_retirement=int(days),
        raise_bars=raise_bars,
    )


HARD = (
    "Legal, security, refund and policy questions, anger, length, other languages, and what the help centre hardly answers: one or "
    "two points each, three at most."
)


def _said() -> str:
    now = state.notebook().limits
    parts = [f"prefers {', '.join(sorted(now.preferred))}"] if now.preferred else []
    parts += [f"never {', '.join(sorted(now.never))}"] if now.never else []
    parts += [f"efforts {', '.join(sorted(now.efforts, key=EFFORTS.index))}"] if now.efforts else []
    parts += [f"{usd(now.call_budget_usd)} a call"] if now.call_budget_usd is not None else []
    parts += [f"{usd(now.ticket_budget_usd)} a ticket"] if now.ticket_budget_usd is not None else []
    parts += [f"{now.min_days_to_retirement} days to retirement"] if now.min_days_to_retirement else []
    parts += [] if now.raise_bars else ["hard tickets raise no bar"]
    return "; ".join(parts) or "none"


def _budget(label: str, key: str, now: Decimal | None) -> Decimal | None:
    """An amount that can be emptied again: a control that is given a value as its default would fall back to it."""
    if now is not None:
        st.session_state.setdefault(key, float(now))
    amount = st.number_input(label, min_value=0.0, value=None, format="%.4f", key=key, placeholder="No limit")
    return None if amount is None else Decimal(str(amount))
