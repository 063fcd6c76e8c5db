"""The slider of one stage's bar, on every page that has one."""

from __future__ import annotations

import streamlit as st

from playground.ui import state


def stage_bar(stage: str, key: str) -> None:
    """Draw it under a widget key of the page's own; what it is moved to holds for the session."""
    # Its value lives in the session: a default that follows it would make it another control in the middle of a move.
    st.session_state.setdefault(key, state.notebook().bars.get(stage, state.notebook().pipeline.stage(stage).bar))
    st.slider(
        "Bar",
        0.5,
        1.0,
        step=0.01,
        key=key,
        on_change=_moved,
        args=(stage, key),
        help="Lowest quality accepted: the share of tickets on which the output is accepted where the best-measured model's is.",
    )


def _moved(stage: str, key: str) -> None:
    state.notebook().bars[stage] = st.session_state[key]
