"""A run as a file: save it, open one, and what is said while one is open."""

from __future__ import annotations

import re
from functools import partial

import streamlit as st

from playground.prices import PRICE_DATE
from playground.recorded import FORMAT, Recording, save
from playground.records import Trace
from playground.router import Router
from playground.ui import state
from playground.ui.widgets import plain, provenance_line, unless_deleted

MAX_MB = FORMAT.largest // 1_000_000
SAVE_HELP = "All that this page shows as a file: ticket, prompts, answers, decisions and receipts. Keys are taken out."
PERSONAL = "Leave out personal data"
PERSONAL_HELP = (
    "Leaves the customer and the ticket's number out and masks e-mail addresses, phone, card and other long numbers. Names cannot "
    "be found by a rule: read the ticket before you pass the file on."
)


def run_line(trace: Trace) -> None:
    """Where the numbers of a page come from: the session's own run, or the open recording."""
    found = state.recording()
    if found is None:
        provenance_line(trace)
        return
    with st.container(border=True, key="recording_open", gap="xsmall"):
        st.markdown(f"**{plain(found.label)}**")
        st.caption(f"{prices_said(found)} {plain(whose(found))} Nothing is called, and nothing is spent again.")
        for note in found.notes:
            st.warning(plain(note), icon=":material/edit_note:")
        st.button("Close the recording", key="close_recording", icon=":material/close:", on_click=state.close_recording)


def prices_said(found: Recording) -> str:
    """The date of a recording's prices, and that others may hold today."""
    today = "" if found.price_date == PRICE_DATE else f" Today's are of {PRICE_DATE:%-d %B %Y}."
    return f"Prices of {found.price_date:%-d %B %Y}, as stored in the file.{today}"


def whose(found: Recording) -> str:
    """Which ticket, agent and plan."""
    ticket = found.trace.ticket
    masked = " Personal data was left out." if found.without_personal_data else ""
    return f"Ticket {ticket.subject or ticket.id}, agent {found.trace.pipeline}, plan {found.trace.plan}.{masked}"


def recorded_ticket(found: Recording) -> None:
    """The ticket of the recording, to be read."""
    ticket = found.trace.ticket
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{plain(ticket.subject or ticket.id)}**")
        st.text(ticket.text if len(ticket.text) <= 4_000 else f"{ticket.text[:4_000]} ...")


def recording_box() -> None:
    """Draw the two small boxes: one to save, one to open."""
    with st.container(horizontal=True, gap="small"):
        _save_box()
        _open_box()


def _save_box() -> None:
    done = state.own_trace()
    if done is None or state.is_running() or state.recording() is not None:
        return
    agent = state.notebook().agent
    assert agent is not None
    with st.popover("Save this run", icon=":material/save:"):
        st.caption(SAVE_HELP)
        masks = st.checkbox(PERSONAL, key="save_masks", help=PERSONAL_HELP)
        st.download_button(
            "Download the run",
            unless_deleted(partial(_file, done, agent.router, state.known_secrets(), masks)),
            file_name(done, masks),
            "application/json",
            key="save_run",
            on_click="ignore",
            icon=":material/download:",
        )


def _file(done: Trace, router: Router, secrets: tuple[str, ...], masks: bool) -> bytes:
    """The file, made when it is asked for: in another thread, where no session is at hand."""
    return save(done, router, secrets=secrets, without_personal_data=masks)


def file_name(done: Trace, masks: bool = False) -> str:
    """A name for the file; nothing of the ticket's text but its id, and not that where personal data is left out."""
    name = "" if masks else re.sub(r"[^A-Za-z0-9-]+", "-", done.ticket.id).strip("-")[:40]
    name = name or "ticket"
    return f"{done.provenance}-{name}-{done.plan}.json"


def _open_box() -> None:
    with st.popover("Open a recording", icon=":material/folder_open:"):
        names = state.recording_names()
        if names:
            st.selectbox(
                "Recorded runs at hand", names, None, key="recording_pick", on_change=_pick, placeholder="Choose a run"
            )
        uploader("recording_file", many=False)
        st.page_link("pages/compare.py", label="Compare two runs", icon=":material/compare_arrows:")


def _pick() -> None:
    if name := st.session_state.recording_pick:
        state.open_recording(name)


def uploader(key: str, many: bool) -> None:
    """Where a file comes in; what is wrong with it stands below."""
    label = "Files that were saved here" if many else "A file that was saved here"
    args = (key, not many)
    st.file_uploader(
        label,
        ["json"],
        key=key,
        on_change=state.take_recordings,
        args=args,
        max_upload_size=MAX_MB,
        accept_multiple_files=many,
    )
    for problem in st.session_state.get(f"{key}_problems", ()):
        st.error(plain(problem), icon=":material/error:")
