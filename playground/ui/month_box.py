"""The month in short: a volume slider and what each plan costs at it.

A fragment, so that the figures under the slider follow at once; the rest of the page, whose headline speaks of the same volume,
follows right behind.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.charts.month import spend_by_volume
from playground.forecast import month, volumes
from playground.money import percent_change, usd
from playground.records import PLANS
from playground.ui import state
from playground.ui.widgets import draw, figure, figures_row

NAMES = {"before": "Today", "stratified": "Stratified", "kr-auto": "kr-auto"}


def volume_slider(on_move: Callable[[], None] | None = None) -> None:
    """Tickets a month, on a log scale."""
    st.select_slider(
        "Tickets a month",
        volumes(),
        state.DEFAULT_VOLUME,
        format_func=lambda v: f"{v:,}",
        key="volume",
        bind="query-params",
        persist_state="session",
        on_change=on_move or "rerun",
    )


@st.fragment
def month_box(basis: state.Basis) -> None:
    """The slider, one figure for each plan, and spend against volume."""
    volume_slider(state.volume_moves)
    a = state.assumptions()
    spends = {plan: basis.spends[plan] for plan in PLANS}
    base = month(spends["before"], a).models_usd
    with figures_row():
        for plan in PLANS:
            spend = month(spends[plan], a).models_usd
            figure(NAMES[plan], usd(spend), percent_change(spend, base) if plan != "before" else "")
    st.caption(f"Models for {a.tickets_per_month:,} tickets like this one. n = 1: one ticket gives no range.")
    draw(spend_by_volume(spends, a))
    if state.take_volume_moved():
        st.rerun()
