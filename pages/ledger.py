"""Receipts: how much was spent, on what, every attempt of it, and what is kept."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.charts.ledger import spend_over_time
from playground.errors import PlaygroundError
from playground.ledger import By, Filter
from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.ledger_filters import filters, provenance_choice, stage_name
from playground.ui.ledger_keeping import keeping
from playground.ui.ledger_view import answer, files, problem_box, receipts
from playground.ui.widgets import draw, plain
from playground.ui.words import words

BY: tuple[By, ...] = ("model", "stage")


def over_time(where: Filter) -> None:
    by = st.segmented_control(
        "Spend a day by", BY, default="model", required=True, key="ledger_by", persist_state="session"
    )
    found = state.ledger().spend(("day", by), where, tickets=False)
    if by == "stage":
        found = tuple(replace(s, key=(s.key[0], stage_name(s.key[1] or ""))) for s in found)
    draw(spend_over_time(found, by))


def page() -> None:
    provenance = provenance_choice()
    if provenance is None:
        st.info("No receipt yet: run a ticket. What a page rehearses by itself when it opens is not kept.")
        st.page_link("pages/notebook.py", label="Run a ticket", icon=":material/play_arrow:")
        return
    place = st.container()
    where = filters(provenance)
    with place:
        whole = answer(where)
    if not whole.attempts:
        st.info("No receipt matches the filter.")
        return
    over_time(where)
    receipts(where, whole.attempts)
    files(where, whole.attempts)


ensure_frame()
st.title("What was spent?")
problem_box()
try:
    page()
    keeping()
except PlaygroundError as wrong:
    st.error(plain(str(wrong)), icon=":material/error:")
words()
