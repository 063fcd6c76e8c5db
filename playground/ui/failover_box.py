"""The controls of failover: what is in force is what they show."""

from __future__ import annotations

import streamlit as st

from playground.runtime import FailoverRules

SWITCH, LISTED = "guard_failover", "guard_equivalents"


def as_lines(rules: FailoverRules) -> str:
    """A list of equivalents as it is written into its box."""
    return "\n".join(f"{name}: {', '.join(others)}" for name, others in rules.equivalents.items())


def show_failover(rules: FailoverRules) -> None:
    """Put rules that came from elsewhere into the controls, or Apply would take them back. To be called before they are drawn."""
    st.session_state[SWITCH], st.session_state[LISTED] = True, as_lines(rules)
