"""Outcomes of an A/B test, as they were read."""

from __future__ import annotations

import streamlit as st

from playground.ab import Outcome


def ab_outcomes() -> list[Outcome]:
    """The session's outcomes, in the order of the file. Empty before a file was read."""
    found: list[Outcome] = st.session_state.get("ab_outcomes", [])
    return found


def take_outcomes(found: list[Outcome]) -> None:
    """Put these in the place of earlier ones."""
    st.session_state.ab_outcomes = found
