"""The tour, above the page: which step is next, what to do, and the way there."""

from __future__ import annotations

import streamlit as st

from playground.tour import STOPS, next_stop
from playground.ui import state


def tour_offer() -> None:
    """The way into the tour, where it is not under way."""
    if not state.tour_is_on():
        st.button("Take the ten-minute tour", type="tertiary", icon=":material/signpost:", on_click=state.begin_tour)


def tour_bar() -> None:
    """Draw the tour where it is under way."""
    if not state.tour_is_on():
        return
    done = state.tour_done()
    with st.container(border=True, key="tour", gap="xsmall"):
        _next(done)
        _steps(done)


def _next(done: frozenset[str]) -> None:
    now = next_stop(done)
    left, right = st.columns([5, 1], vertical_alignment="center")
    right.button("End tour", type="tertiary", on_click=state.end_tour)
    if now is None:
        left.markdown("**Tour, all seven steps done.** The Receipts page holds what each call cost.")
        return
    left.markdown(f"**Tour, step {STOPS.index(now) + 1} of {len(STOPS)}: {now.title}.** {now.do}")


def _steps(done: frozenset[str]) -> None:
    with st.container(horizontal=True, gap="small"):
        for number, stop in enumerate(STOPS, 1):
            mark = ":material/check:" if stop.key in done else ":material/radio_button_unchecked:"
            label = f"{number} {stop.title}, done" if stop.key in done else f"{number} {stop.title}"
            st.page_link(stop.page, label=label, icon=mark)
