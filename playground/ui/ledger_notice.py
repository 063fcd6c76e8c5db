"""On every page: that receipts are not being kept, and where to mend it."""

from __future__ import annotations

import streamlit as st

from playground.ui import state
from playground.ui.widgets import plain

RECEIPTS = "ledger"
"""The address of the page of receipts, which says it itself."""


def ledger_notice(page: str) -> None:
    """The ledger's problem, where it has one."""
    problem = state.ledger().problem
    if problem and page != RECEIPTS:
        st.warning(plain(problem), icon=":material/warning:")
        st.page_link("pages/ledger.py", label="Receipts", icon=":material/receipt:")
