"""The month in short: a volume slider and what each plan costs at it.

A fragment, so that the figures under the slider follow at once; the rest of the page, whose headline speaks of the same volume,
follows right behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from playground.charts.month import spend_by_volume
from playground.forecast import VOLUME_RANGE, month
from playground.money import percent_change, usd
from playground.records import PLANS
from playground.ui import state
from playground.ui.prompt_cache_note import prompt_cache_said
from playground.ui.widgets import dollars, draw, figure, figures_row

NAMES = {"before": "Today", "stratified": "Stratified", "kr-auto": "kr-auto"}


def volume_slider(on_move: Callable[[], None] | None = None) -> None:
    """Tickets a month, on a log scale, or typed."""
    known: dict[str, Any] = {} if "volume" in st.session_state else {"value": state.DEFAULT_VOLUME}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.select_slider(
            "Tickets a month",
            state.volume_choices(),
            format_func=lambda v: f"{v:,}",
            key="volume",
            bind="query-params",
            persist_state="session",
            on_change=on_move or "rerun",
            **known,
        )
        st.number_input(
            "or exactly", 1, VOLUME_RANGE[1], None, key="typed_volume", on_change=_typed, args=(on_move,), width=140
        )


def _typed(on_move: Callable[[], None] | None) -> None:
    if (typed := st.session_state.typed_volume) is not None:
        state.offer_volume(typed)
        st.session_state.typed_volume = None
        if on_move is not None:
            on_move()


@st.fragment
def month_box(basis: state.Basis) -> None:
    """The slider, one figure for each plan, and spend against volume."""
    volume_slider(state.volume_moves)
    a = state.assumptions()
    spends = {plan: basis.spends[plan] for plan in PLANS}
    base = month(spends["before"], a).one_round_usd
    with figures_row():
        for plan in PLANS:
            spend = month(spends[plan], a).one_round_usd
            figure(NAMES[plan], usd(spend), percent_change(spend, base) if plan != "before" else "")
    st.caption(f"Models for {a.tickets_per_month:,} tickets like this one. n = 1: one ticket gives no range.")
    st.caption(dollars(prompt_cache_said(basis, a)))
    draw(spend_by_volume(spends, a))
    if state.take_volume_moved():
        st.rerun()
