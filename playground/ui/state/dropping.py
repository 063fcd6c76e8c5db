"""What a session lets go of when a customer is deleted: runs, desks, recordings and the log; each is said in a sentence."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st

from playground import tickets
from playground.jobs import names_in
from playground.records import Ticket
from playground.ui.state.caching import cancel_caching
from playground.ui.state.gone import Gone
from playground.ui.state.log import LogDesk, forget_log, log_desk, log_desks
from playground.ui.state.meaning import drop_labelled
from playground.ui.state.session import Notebook, notebook, say

DESKS = ("sample_desk", "shadow_desk", "drift_desk")
RUN = "The ticket that ran last is of a customer who was deleted: the run is dropped."
TICKET = "The ticket that was set is of a customer who was deleted: a sample stands in its place."
WORK = "This session's work on tickets of a customer who was deleted is dropped. Draw it again to go on."
RECORDING = "A recording of a customer who was deleted is closed and let go of."
LOG = "The log that was loaded names a customer who was deleted, so it was dropped. Load one without."
MAYBE = "The log that was loaded was not priced to its end and may name a customer who was deleted, so it was dropped."


def drop_run(gone: Gone) -> None:
    """The notebook's run, also one under way, and its ticket."""
    book = notebook()
    running = None if book.run is None else book.run.ticket
    if any(t is not None and gone(t.customer_id) for t in (running, book.ran_ticket)):
        _forget_run(book)
        say(RUN)
    if gone(book.ticket.customer_id):
        _forget_run(book)
        _other_ticket(book, gone)
        say(TICKET)
    asked: dict[Any, Any] = st.session_state.get("second_opinions", {})
    st.session_state.second_opinions = {key: value for key, value in asked.items() if not gone(key[0])}


def _forget_run(book: Notebook) -> None:
    if book.run is not None:
        book.run.cancel()
    book.run = book.agent = book.ran_ticket = book.bills = book.both = None
    book.steps, book.marks, book.pending = {}, {}, {}


def _other_ticket(book: Notebook, gone: Gone) -> None:
    left: dict[str, Ticket] = {name: t for name, t in tickets.samples().items() if not gone(t.customer_id)}
    name, book.ticket = next(iter(left.items()))
    for key in ("ticket_text", "ticket_subject", "ticket_error"):
        st.session_state.pop(key, None)
    # On a page that has drawn the choice already it shows the new one the next time.
    with suppress(st.errors.StreamlitAPIException):
        st.session_state.sample = name


def drop_desks(gone: Gone) -> None:
    """Samples and evaluations that hold such tickets; what runs is stopped."""
    for name in DESKS:
        desk = st.session_state.get(name)
        if desk is not None and _holds(desk, gone):
            del st.session_state[name]
            if desk.work is not None:
                desk.work.cancel()
            say(WORK)
    st.session_state.pop("gate_calibration", None)


def _holds(desk: Any, gone: Gone) -> bool:
    payloads = [*getattr(desk, "payloads", {}).values()]
    named = (name for p in payloads for name in names_in(p)["customer"])
    return any(gone(t.customer_id) for t in desk.tickets.values()) or any(map(gone, named))


def drop_recordings(gone: Gone) -> None:
    """Recordings of such a customer: the open one, and those that were opened before."""
    kept: dict[str, Any] = st.session_state.get("recordings", {})
    shown = st.session_state.get("recording")
    found = [name for name, r in kept.items() if gone(r.trace.ticket.customer_id)]
    is_open = shown is not None and gone(shown.trace.ticket.customer_id)
    for name in found:
        del kept[name]
    if is_open:
        st.session_state.recording = None
    if found or is_open:
        say(RECORDING)


def drop_customers(gone: Gone) -> None:
    """Sums and prices by customer."""
    desk: Any = st.session_state.get("customer_desk")
    if desk is not None:
        desk.own_prices = {name: price for name, price in desk.own_prices.items() if not gone(name)}
        desk.made_of, desk.made = (), {}


def drop_log(gone: Gone) -> None:
    """A log that names such a customer, or that nobody knows it of."""
    desk = log_desk()
    said = _named_in(desk, gone)
    if said:
        cancel_caching()
        forget_log(said)
        say(said)


def erase_logs(gone: Gone) -> None:
    """Remove the files of such logs in every session at once; each session says so when it is looked at again."""
    for desk in log_desks():
        if _named_in(desk, gone):
            desk.erase()


def _named_in(desk: LogDesk, gone: Gone) -> str:
    if desk.path is None:
        return ""
    if desk.priced is not None and any(map(gone, dict.fromkeys(desk.priced.customers))):
        return LOG
    return MAYBE if desk.priced is None or desk.stopped else ""


DROPS = (drop_run, drop_desks, drop_recordings, drop_customers, drop_log, drop_labelled)
