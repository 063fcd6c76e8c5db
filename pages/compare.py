"""Two runs side by side: this session's, or recorded ones."""

from __future__ import annotations

import streamlit as st

from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.recording_box import uploader
from playground.ui.run_pair import Side, own_side, recorded_side, show_pair

NOW = "This session's last run"


def side(name: str) -> Side | None:
    """A run that can be compared, by its name."""
    if name == NOW:
        return own_side()
    found = state.find_recording(name)
    return None if found is None else recorded_side(found)


def choose(label: str, key: str, names: list[str], usual: str) -> str:
    """One of the runs; what was chosen stays chosen while it can be."""
    if st.session_state.get(key) not in names:
        st.session_state[key] = usual
    return st.selectbox(label, names, key=key, persist_state="session")


ensure_frame()
st.title("What differs between two runs?")
with st.popover("Load recordings", icon=":material/folder_open:"):
    uploader("compare_files", many=True)
names = [*([] if own_side() is None else [NOW]), *state.recording_names()]
if len(names) < 2:
    st.info("Two runs are needed. Run a ticket in the notebook, or load a recording.")
    st.page_link("pages/notebook.py", label="Open the notebook", icon=":material/view_agenda:")
    st.stop()
left, right = st.columns(2)
with left:
    first = choose("A", "compare_a", names, names[0])
with right:
    second = choose("B", "compare_b", names, next(n for n in reversed(names) if n != names[0]))
a, b = side(first), side(second)
if first == second:
    st.info("Both are the same run. Choose another for B.")
elif a is not None and b is not None:
    show_pair(a, b)
