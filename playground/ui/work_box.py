"""Long work on a page: the buttons while it goes on, and what to say of how it ended."""

from __future__ import annotations

import streamlit as st

from playground.ui.bounded_work import BoundedWork
from playground.ui.widgets import plain


def work_buttons(work: BoundedWork, key: str) -> None:
    """Pause lets what is under way finish; where that takes too long, it can be cut short."""
    if work.pausing:
        st.caption("Pausing: tickets under way finish first, so that none is paid for twice.")
        st.button("Stop now", key=f"stop_{key}", icon=":material/stop:", on_click=work.cancel, help=STOP)
    else:
        st.button("Pause", key=f"pause_{key}", icon=":material/pause:", on_click=work.pause)


STOP = "Cuts tickets under way short. What they cost is counted, and they run again when you go on."


def how_it_ended(work: BoundedWork) -> None:
    """An error, a cap, and tickets that nobody answered."""
    if work.error:
        st.error(plain(work.error), icon=":material/error:")
    if work.stopped_by == "cap":
        st.warning(f"The cap was reached with {work.left:,} tickets left. Raise it and go on.")
    if lost := list(work.unanswered.values()):
        st.warning(plain(f"{len(lost):,} tickets got no answer, and run again when you go on. The last: {lost[-1]}"))
