"""Knobs in the URL: what no control has is said and dropped, what is near to a choice is taken for it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground import tickets
from playground.forecast import VOLUME_RANGE
from playground.pipeline_file import shipped
from playground.records import PLANS
from playground.ui.state.knobs import offer_volume
from playground.ui.state.session import notebook, say

OWN_TICKET = "Your own: paste it below"
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "mode": ("Rehearsal", "Live"),
    "plan": PLANS,
    "assurance": ("estimated", "proven"),
    "pipeline": shipped(),
    "own_rounds": ("true", "false"),
}
_RANGES: Mapping[str, tuple[float, float]] = {
    "bar_shift": (-0.15, 0.10),
    "again": (0, 100),
    "again_rounds": (0, 20),
    "growth": (-50, 100),
    "retries": (0, 100),
    "own_bill": (0, 100_000_000),
    "escalation": (0, 100),
    "human_cost": (0, 1000),
    "fixed_cost": (0, 10_000_000),
}


def tidy_address() -> None:
    """Read the URL once for each session, before any control does."""
    if "address_read" in st.session_state:
        return
    st.session_state.address_read = True
    for key, allowed in _CHOICES.items():
        _drop_unless(key, st.query_params.get(key) in (None, *allowed), f"Allowed: {', '.join(allowed)}.")
    for key, (low, high) in _RANGES.items():
        _drop_unless(key, _within(st.query_params.get(key), low, high), f"Allowed: {low:g} to {high:,g}.")
    _providers()
    _sample()
    _volume()


def _drop_unless(key: str, fits: bool, allowed: str) -> None:
    if not fits:
        say(
            f"The address asks for {key}={st.query_params[key][:60]}, which does not exist; the default is used. {allowed}"
        )
        del st.query_params[key]


def _within(text: str | None, low: float, high: float) -> bool:
    if text is None:
        return True
    try:
        return low <= float(text) <= high
    except ValueError:
        return False


def _providers() -> None:
    asked, known = st.query_params.get_all("providers"), notebook().catalog.providers
    unknown = [p for p in asked if p not in known]
    if unknown:
        st.query_params["providers"] = [p for p in asked if p in known]
        say(f"The address names the provider {unknown[0][:60]}, which does not exist. Allowed: {', '.join(known)}.")


def _sample() -> None:
    asked = st.query_params.get("sample")
    if asked == OWN_TICKET:
        say("This page was loaded anew, and a pasted ticket is not kept: paste it again.")
        del st.query_params["sample"]
        return
    names = {n: tickets.sample_title(n) for n in tickets.sample_names()}
    if asked in names:
        st.session_state.sample = asked
        st.query_params["sample"] = names[asked]
    _drop_unless("sample", asked in (None, *names, *names.values()), f"Allowed: {', '.join(names.values())}.")


def _volume() -> None:
    text = st.query_params.get("volume")
    if text is None:
        return
    asked, (low, high) = text.replace(",", ""), (1, VOLUME_RANGE[1])
    if not _within(asked, low, high):
        _drop_unless("volume", False, f"Allowed: {low:,} to {high:,}.")
        return
    # The control reads the address as it was when the page was asked for, so a corrected value goes to its own state.
    offer_volume(round(float(asked)))
    st.query_params["volume"] = f"{round(float(asked)):,}"
