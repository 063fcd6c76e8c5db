"""The digest: a day in one message, seen before it is sent, to Slack or as Markdown."""

from __future__ import annotations

import streamlit as st

from playground.errors import PlaygroundError
from playground.ui import digest_view as view
from playground.ui import state
from playground.ui.frame import ensure_frame
from playground.ui.widgets import plain
from playground.ui.words import words


def page() -> None:
    post = state.digest_desk().post
    found = post.days()
    if problem := state.ledger().problem:
        st.warning(plain(problem))
    left, right = st.columns([3, 2], gap="large")
    with left:
        day = view.day_picker(found, state.utc_today())
        digest = state.digest_of(day)
        if digest is None:
            st.info("No receipt of this day is kept yet. Run a ticket, and its digest stands here.")
            st.page_link("pages/notebook.py", label="Notebook", icon=":material/view_agenda:")
        else:
            view.preview(digest)
            view.markdown(digest)
    with right:
        view.address()
        if digest is not None:
            view.send(digest)
        view.forecast()
        view.days(found)


ensure_frame()
st.title("What does the team hear each day?")
try:
    page()
except PlaygroundError as wrong:
    st.error(plain(str(wrong)), icon=":material/error:")
words()
