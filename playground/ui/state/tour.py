"""Where the session stands on the tour."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.tour import STOPS
from playground.ui.state.knobs import DEFAULT_VOLUME
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
    """Take note of the page that is drawn, by its path. The frame calls it before every page."""
    if not tour_is_on():
        return
    seen: set[str] = st.session_state.setdefault("toured_pages", set())
    seen.add(page)


def took_report() -> None:
    """Mark that a report was downloaded."""
    st.session_state.setdefault("toured", set()).add("report")


def tour_done() -> frozenset[str]:
    """The steps that are done."""
    seen: set[str] = st.session_state.setdefault("toured", set())
    seen |= {s.key for s in STOPS if s.key in _SIGNS and _SIGNS[s.key]()}
    return frozenset(seen)


def _decision_is_open() -> bool:
    return any(str(k).startswith("view_") and v == "Decision" for k, v in st.session_state.items())


def _looked_on(page: str) -> bool:
    return page in st.session_state.get("toured_pages", ())


def _has_pairs() -> bool:
    desk = shadow_desk()
    return desk is not None and bool(desk.payloads)


_SIGNS: dict[str, Callable[[], bool]] = {
    "ticket": is_whole,
    "decisions": _decision_is_open,
    "month": lambda: _looked_on("month") and st.session_state.get("volume", DEFAULT_VOLUME) != DEFAULT_VOLUME,
    # Other pages price the sample log by themselves, which is nobody's own.
    "log": lambda: log_desk().forecast is not None and (not log_desk().is_sample or _looked_on("log")),
    "shadow": _has_pairs,
    "plan": lambda: _looked_on("plan"),
}
"""How a step shows in the session that it was done."""
