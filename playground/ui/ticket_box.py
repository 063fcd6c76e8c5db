"""Where a ticket comes in: a sample, pasted text, or a file."""

from __future__ import annotations

from pathlib import PurePath

import streamlit as st

from playground import tickets
from playground.errors import BadTicket
from playground.records import Ticket
from playground.ui import state
from playground.ui.state.address import OWN_TICKET
from playground.ui.widgets import SMALL_FILE_MB, plain

OWN = "own"
_LABELS = {name: tickets.sample_title(name) for name in tickets.sample_names()}


def ticket_box() -> None:
    """Draw the choice of ticket and its text; the notebook works on what stands in it."""
    if "ticket_text" not in st.session_state:
        _fill(state.notebook().ticket)
    pick, load = st.columns([3, 2], vertical_alignment="bottom")
    pick.selectbox(
        "Ticket",
        [*_LABELS, OWN],
        format_func=lambda n: _LABELS.get(n, OWN_TICKET),
        key="sample",
        on_change=_choose,
        bind="query-params",
    )
    with load.popover("Load a file", icon=":material/upload_file:"):
        st.file_uploader(
            "A text or Markdown file, UTF-8", key="ticket_file", on_change=_load, max_upload_size=SMALL_FILE_MB
        )
    st.text_input("Subject", key="ticket_subject", on_change=_edit, max_chars=300)
    st.text_area("Message", key="ticket_text", height=170, on_change=_edit)
    if message := st.session_state.get("ticket_error"):
        st.error(plain(message), icon=":material/error:")
    for note in state.notebook().ticket.notes:
        st.caption(note)


def _fill(ticket: Ticket) -> None:
    st.session_state.ticket_subject, st.session_state.ticket_text = ticket.subject, ticket.text
    st.session_state.ticket_error = None


def _choose() -> None:
    name = st.session_state.sample
    if name not in tickets.samples():
        st.session_state.ticket_subject = st.session_state.ticket_text = ""
        return
    _take(tickets.samples()[name])


def _take(ticket: Ticket) -> None:
    state.set_ticket(ticket)
    _fill(ticket)
    if state.knobs().mode == "Rehearsal":
        state.start_run()


def _load() -> None:
    upload = st.session_state.ticket_file
    if upload is None:
        return
    try:
        ticket = tickets.from_bytes(upload.getvalue(), PurePath(upload.name).name)
    except BadTicket as error:
        st.session_state.ticket_error = str(error)
        return
    st.session_state.sample = OWN
    _take(ticket)


def _edit() -> None:
    st.session_state.ticket_error = None
    name = st.session_state.get("sample")
    known = tickets.samples().get(name) if name else None
    text, subject = st.session_state.ticket_text, st.session_state.ticket_subject
    if known and (text, subject) == (known.text, known.subject):
        state.set_ticket(known)
        return
    try:
        state.set_ticket(tickets.from_text(text, subject, customer_id=known.customer_id if known else None))
    except BadTicket as error:
        st.session_state.ticket_error = str(error)
