"""Deleting what is kept: a customer, everywhere in this app, or receipts older than a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from playground.answer_store import Answers
from playground.answer_store import default_path as answers_path
from playground.jobs import names_in
from playground.ledger import LedgerError
from playground.ledger.forgetting import Forgotten, forget_everywhere
from playground.ui.state.guards import semantic_caches
from playground.ui.state.ledger import ledger
from playground.ui.state.log import forget_log, log_desk
from playground.ui.state.runs import own_trace
from playground.ui.state.sample import jobs
from playground.ui.state.session import say

DESKS = ("sample_desk", "shadow_desk", "drift_desk")
ANY = 2**62
"""More than any cache holds: looking in must not make room."""


def forget_customer(customer: str) -> Forgotten:
    """Delete a customer from every store of this server, and from what this session has worked out."""
    path = answers_path()
    answers = Answers(path, ttl_s=float("inf"), most_bytes=ANY) if path.is_file() else None
    try:
        gone = forget_everywhere(customer, ledger(), jobs(), answers)
    finally:
        if answers is not None:
            answers.close()
    cached = sum(cache.forget(customer) for cache in semantic_caches())
    for sentence in _forget_here(customer) if customer else ():
        say(sentence)
    return replace(gone, answers=gone.answers + cached)


def _forget_here(customer: str) -> list[str]:
    """Drop what this session made of tickets of the customer, and say what was dropped."""
    said = []
    done = own_trace()
    if done is not None and done.ticket.customer_id == customer:
        st.session_state.forgotten_ticket = done.ticket
        said.append("The ticket that ran last is that customer's: it is left out of the report. Run another one.")
    for name in DESKS:
        if _holds(st.session_state.get(name), customer):
            desk = st.session_state.pop(name)
            if desk.work is not None:
                desk.work.cancel()
            said.append("This session's work on tickets of that customer was dropped. Draw it again to go on.")
    if (customers := st.session_state.get("customer_desk")) is not None:
        customers.own_prices = {name: price for name, price in customers.own_prices.items() if name != customer}
        customers.made.clear()
    priced = log_desk().priced
    if priced is not None and customer in priced.customers:
        forget_log()
        said.append("The log that was loaded names that customer, so it was dropped. Load one without.")
    return said


def _holds(desk: Any, customer: str) -> bool:
    if desk is None:
        return False
    named = any(t.customer_id == customer for t in desk.tickets.values())
    payloads: Mapping[str, Any] = getattr(desk, "payloads", {})
    return named or any(customer in names_in(p)["customer"] for p in list(payloads.values()))


def keep_for(days: int | None) -> None:
    """Keep receipts for so many days from now on, and say what that deleted."""
    try:
        found = ledger().keep_for(days)
    except LedgerError as error:
        say(str(error))
        return
    kept = "for ever" if days is None else f"for {days:,} {'day' if days == 1 else 'days'}"
    say(f"Receipts are kept {kept}. {found:,} older ones are deleted.")


def forget_before(day: date) -> None:
    """Delete older receipts and say how many."""
    try:
        found = ledger().forget_before(day)
    except LedgerError as error:
        say(str(error))
        return
    say(f"{found:,} receipts from before {day:%-d %B %Y} are deleted.")
