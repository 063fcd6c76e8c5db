"""Catching up with deletions: what a session holds of a customer who was deleted, in whichever session, is dropped."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.forgotten import DELETIONS

Gone = Callable[[str | None], bool]
"""Whether a customer was deleted since this session last looked."""
_DROPS: list[Callable[[Gone], None]] = []


def on_deletion(*drops: Callable[[Gone], None]) -> None:
    """Have these called in every session after a deletion. Called once, when the program starts."""
    _DROPS.extend(drops)


def catch_up() -> None:
    """Drop what was deleted since this session last looked. Whatever holds tickets calls it before it gives any."""
    began = st.session_state.setdefault("deletions_seen", DELETIONS.count)
    if began == DELETIONS.count:
        return
    st.session_state.deletions_seen = DELETIONS.count
    for drop in _DROPS:
        drop(lambda customer: DELETIONS.since(customer, began))
