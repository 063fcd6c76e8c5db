"""Deleting what is kept: a customer, everywhere in this app, or receipts older than a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from playground.answer_store import Answers
from playground.answer_store import default_path as answers_path
from playground.ledger import LedgerError
from playground.ledger.forgetting import Forgotten, forget_everywhere
from playground.ui.runner import cancel_runs
from playground.ui.state.dropping import DROPS, erase_logs
from playground.ui.state.gone import catch_up, on_deletion
from playground.ui.state.guards import semantic_caches
from playground.ui.state.ledger import ledger
from playground.ui.state.sample import jobs
from playground.ui.state.session import say

on_deletion(*DROPS)
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
    cancel_runs(customer)
    erase_logs(lambda name: name == customer)
    cached = sum(cache.forget(customer) for cache in semantic_caches())
    catch_up()
    return replace(gone, answers=gone.answers + cached)


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
