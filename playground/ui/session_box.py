"""The whole set-up as a file to save and to load, and a link that holds the knobs."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground.session_file import FORMAT, SetUp, keep
from playground.ui import state
from playground.ui.widgets import plain, unless_deleted

HOLDS = (
    "Knobs, agent, limits, pins, bars, margins, prompts, guardrails, your own evidence and verdicts, the month's assumptions, and "
    "your own models. Never keys or webhook addresses."
)


def session_box() -> None:
    """Draw the link, the download and the upload."""
    st.subheader("Share or keep this set-up")
    st.caption("Copy link: the knobs of the sidebar and the month. It never holds ticket text, prompts or keys.")
    st.code(state.link(), language=None, wrap_lines=True)
    st.caption(HOLDS)
    ticket = st.checkbox("Include the ticket's text", key="setup_ticket")
    st.download_button(
        "Download the set-up",
        unless_deleted(partial(_file, state.setup(ticket), state.known_secrets())),
        "set-up.json",
        "application/json",
        key="save_setup",
        on_click="ignore",
        icon=":material/download:",
    )
    st.file_uploader(
        "Load a set-up. It takes the place of what is set now",
        ["json"],
        key="setup_file",
        on_change=state.take_setup,
        args=("setup_file",),
        max_upload_size=FORMAT.largest // 1_000_000,
    )
    if message := st.session_state.get("setup_file_error"):
        st.error(plain(message), icon=":material/error:")


def _file(now: SetUp, secrets: tuple[str, ...]) -> bytes:
    """The file, made when it is asked for: in another thread, where no session is at hand."""
    return keep(now, secrets=secrets)
