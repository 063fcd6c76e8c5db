"""A whole ticket log: in, priced without calling a model, and out again."""

from __future__ import annotations

import streamlit as st

from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.log_result import result
from playground.ui.log_upload import mapping, upload
from playground.ui.sample_box import sample_box
from playground.ui.words import words

REFRESH_S = 0.5


@st.fragment(run_every=REFRESH_S)
def progress() -> None:
    """Where the pricing stands; one full redraw when it ends."""
    work = state.log_desk().work
    if work is None or work.state != "running":
        st.rerun()
        return
    work.look()
    if state.log_is_changed():
        st.warning(
            "Something changed while this is being priced: models, bars, prompts or limits. Cancel, and price it again."
        )
    left = work.seconds_left
    rest = "working out how long it takes" if left is None else f"about {_time(left)} left"
    share = min(1.0, work.read.share)
    doing = f"{work.tickets:,} tickets priced, {rest}" if share < 1 else f"{work.tickets:,} tickets priced, adding up"
    st.progress(share, doing)
    st.button("Cancel", icon=":material/stop:", on_click=state.cancel_log, help="What is priced so far is kept.")


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


ensure_frame()
st.title("What does your ticket log cost?")
if state.log_desk().path is None and not state.log_desk().dropped:
    state.load_sample_log()
if why := state.log_desk().why_gone:
    st.warning(why)
upload()
mapping()
if state.log_desk().work is not None:
    progress()
elif state.log_desk().shown is None:
    st.info(
        "Drop in an export of your help desk, or take the sample log: every ticket is priced under three plans in seconds."
    )
result()
sample_box()
words()
