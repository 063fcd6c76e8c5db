"""What is kept and for how long: ticket texts, old receipts, and a customer who is to be forgotten."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import streamlit as st

from playground.ledger import Filter
from playground.ui import state
from playground.ui.ledger_filters import shown_name
from playground.ui.state.ledger import KEEP_TEXTS
from playground.ui.widgets import counted, plain

USUAL_DAYS = 90
DONE = "ledger_done"
"""What a deletion did: said in the section, where the button was."""


def keeping() -> None:
    """The controls."""
    # Its own key and state: it stays open when what stands above it changes.
    with st.expander("Keep or delete", icon=":material/delete:", key="ledger_keeping", on_change="rerun"):
        for done in st.session_state.pop(DONE, ()):
            st.info(plain(done), icon=":material/info:")
        _where()
        st.toggle("Keep the text of tickets with their receipts", key=KEEP_TEXTS, help=TEXTS, persist_state="session")
        left, right = st.columns(2)
        with left:
            _old()
        with right:
            _customer()


TEXTS = (
    "Off: of a ticket's text a receipt holds a code only, the same for the same text; nobody can read the text from it. "
    "On counts from this session's next run."
)


def _where() -> None:
    path = state.ledger().path
    st.caption(plain(f"The ledger is {path}. Only its owner may read it." if path else "The ledger is in memory."))


def _old() -> None:
    today, kept = datetime.now(UTC).date(), state.ledger().keep_days or 0
    days = st.number_input("Keep receipts for, days", 0, 36_500, kept, 30, key="ledger_keep", help=FOR_EVER)
    day = st.date_input(
        "Or delete once, from before", today - timedelta(days=USUAL_DAYS), None, today, key="ledger_before"
    )
    sure = st.checkbox("Yes, delete them for good", key="ledger_before_sure")
    with st.container(horizontal=True):
        st.button(
            "Keep for so many days",
            disabled=days == kept or not (sure or days == 0),
            on_click=_keep_for,
            args=(days,),
            key="ledger_keep_for",
        )
        st.button(
            "Delete old receipts", disabled=not sure, on_click=_forget_before, args=(day,), key="ledger_delete_old"
        )


FOR_EVER = "0 keeps them for ever. Older ones are deleted at once, and then once a day."


def _keep_for(days: int) -> None:
    st.session_state.ledger_before_sure = False
    state.keep_for(days or None)
    _say_here()


def _forget_before(day: date) -> None:
    st.session_state.ledger_before_sure = False
    state.forget_before(day)
    _say_here()


def _customer() -> None:
    names = [n for n in state.ledger().names("customer", Filter()) if n]
    customer = st.selectbox(
        "Delete everything of a customer",
        names,
        None,
        format_func=shown_name,
        placeholder="Choose or type a customer",
        accept_new_options=True,
        key="ledger_gone",
        help=EVERYTHING,
    )
    sure = st.checkbox("Yes, delete this customer for good", key="ledger_gone_sure")
    st.button(
        "Delete the customer",
        disabled=not (sure and customer),
        on_click=_forget_customer,
        args=(customer,),
        key="ledger_delete_customer",
    )


EVERYTHING = (
    "Receipts, alarms, cached answers and stored results of samples and evaluations; and in every open session runs, recordings "
    "and a log of this customer. A run under way keeps nothing of it."
)


def _forget_customer(customer: str) -> None:
    st.session_state.ledger_gone_sure = False
    st.session_state.ledger_gone = None
    gone = state.forget_customer(customer)
    parts = ((gone.receipts, "receipt"), (gone.answers, "cached answer"), (gone.units, "stored result"))
    found = ", ".join(counted(n, name) for n, name in parts if n)
    state.say(
        f"Deleted: {found}." if found else "No receipt, cached answer or stored result of this customer was kept."
    )
    for problem in gone.problems:
        state.say(problem)
    _say_here()


def _say_here() -> None:
    st.session_state[DONE] = state.take_notices()
    st.session_state.ledger_keeping = True
