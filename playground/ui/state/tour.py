"""Where the session stands on the tour."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.tour import STOPS
from playground.ui.state.log import log_desk
from playground.ui.state.runs import is_whole
from playground.ui.state.shadow import shadow_desk


def tour_is_on() -> bool:
    """Whether the tour is shown above every page."""
    return bool(st.session_state.get("tour"))


def begin_tour() -> None:
    """Show the tour from now on."""
    st.session_state.tour = True


def end_tour() -> None:
    """Show it no longer; what was done stays marked."""
    st.session_state.tour = False


def tour_looks_on(page: str) -> None:
    """Mark the step that is done by reading this page, given by its path. The frame calls it before every page."""
    if tour_is_on() and page in _READ:
        st.session_state.setdefault("toured", set()).add(page)


def tour_done() -> frozenset[str]:
    """The steps that are done."""
    seen: set[str] = st.session_state.setdefault("toured", set())
    seen |= {s.key for s in STOPS if s.key in _SIGNS and _SIGNS[s.key]()}
    return frozenset(seen)


def _decision_is_open() -> bool:
    return any(str(k).startswith("view_") and v == "Decision" for k, v in st.session_state.items())


def _has_pairs() -> bool:
    desk = shadow_desk()
    return desk is not None and bool(desk.payloads)


_READ = ("month", "plan", "report")
"""Steps that are done by reading the page of the same name."""
_SIGNS: dict[str, Callable[[], bool]] = {
    "ticket": is_whole,
    "decisions": _decision_is_open,
    "log": lambda: log_desk().forecast is not None,
    "shadow": _has_pairs,
}
"""How a step shows in the session that it was done."""
