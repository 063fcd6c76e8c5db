"""What the pages after the notebook start from: the last run, or a sentence and a way back."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from playground.bill import PlanBill
from playground.records import Plan, Trace
from playground.ui import state
from playground.ui.widgets import plain


def last_run() -> tuple[dict[Plan, PlanBill], Trace]:
    """The last run's bills and trace. In rehearsal, with nothing run yet, the sample is run; otherwise the page ends here."""
    state.first_run()
    plans, trace = state.plan_bills(), state.trace()
    if plans is None or trace is None:
        _end("Nothing has run yet. Run a ticket in the notebook first.")
    if state.is_whole() and state.stale():
        st.caption("Something changed since this run: the figures are from before your change.")
    return plans, trace


def finished_run() -> tuple[dict[Plan, PlanBill], Trace]:
    """The same, for figures that only a whole ticket supports."""
    plans, trace = last_run()
    if not state.is_whole():
        _end(f"{how_it_ended(trace)}. A month needs a ticket that ran through.")
    if missing := state.unpriced(plans):
        _end(f"{missing} A month needs every price: give it in Settings, or choose another model.")
    return plans, trace


def how_it_ended(trace: Trace) -> str:
    """Where a run that did not get through every stage ended: at a person, or at a stage that failed."""
    titles = {s.key: s.title for s in state.shown_pipeline().stages}
    held = next((s for s in trace.steps if s.handover is not None), None)
    if held is not None:
        return f"The last ticket went to a person at {titles[held.stage]}, who takes over"
    return f"The last run stopped at {titles[trace.steps[-1].stage]}"


def _end(sentence: str) -> NoReturn:
    st.info(plain(sentence))
    st.page_link("pages/notebook.py", label="Open the notebook", icon=":material/view_agenda:")
    st.stop()
