"""The server's digests, and the session's webhook address. A schedule holds it beyond the session, in the server's memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Lock
from weakref import WeakKeyDictionary

import streamlit as st

from playground.digest import Digest
from playground.digest.daily import Daily, Schedule
from playground.digest.forecast import Expected, expected, forecast_event
from playground.digest.post import Post
from playground.digest.send import Webhook
from playground.errors import BadInput, PlaygroundError
from playground.forecast import month
from playground.ledger import EVERYTHING, Ledger
from playground.ui.state.basis import basis, month_source
from playground.ui.state.knobs import assumptions, knobs
from playground.ui.state.ledger import ledger
from playground.ui.state.runs import is_whole, trace, unpriced, usual_bills
from playground.ui.state.session import say, secrets

WEBHOOK_NAME = "SLACK_WEBHOOK_URL"
NO_ADDRESS = f"No webhook is given. Paste its address, or set {WEBHOOK_NAME} before the app starts."


@dataclass(frozen=True, slots=True)
class DigestDesk:
    """What all sessions of the server share: who sends, and who sends every day."""

    post: Post
    daily: Daily


_desks: WeakKeyDictionary[Ledger, DigestDesk] = WeakKeyDictionary()
_lock = Lock()


def digest_desk() -> DigestDesk:
    """The desk of the server's ledger."""
    books = ledger()
    with _lock:
        if books not in _desks:
            post = Post(books)
            _desks[books] = DigestDesk(post, Daily(post))
        return _desks[books]


def webhook_is_set() -> bool:
    """Whether an address comes from the environment or from secrets.toml; the browser never gets it."""
    return bool(_given())


def _given() -> str:
    return os.environ.get(WEBHOOK_NAME) or secrets().get(WEBHOOK_NAME, "")


def webhook() -> Webhook:
    """Where messages go: what was pasted in this session, else the server's. Raises `BadInput`."""
    address = str(st.session_state.get("digest_webhook") or "") or _given()
    if not address.strip():
        raise BadInput(NO_ADDRESS)
    return Webhook.parse(address)


def utc_today() -> date:
    """The day in UTC, as the ledger counts days."""
    return digest_desk().post.clock().astimezone(UTC).date()


def digest_of(day: date) -> Digest | None:
    """A day's digest as the ledger stands; `None` for a day without receipts. Raises `LedgerError`."""
    return digest_desk().post.digest(day)


def send_digest(day: date) -> None:
    """Send a day's digest now, and say what became of it."""
    try:
        found = digest_of(day)
        if found is None:
            say("That day has no receipts, so there is nothing to send.")
            return
        digest_desk().post.send(webhook(), found)
    except PlaygroundError as error:
        st.session_state.digest_error = str(error)
        return
    st.session_state.digest_error = ""
    say(f"The digest of {day:%-d %B %Y} went out.")


def send_daily(hour: int, rehearsals: bool = False) -> None:
    """Send every day at this hour, in UTC, for as long as the server runs; days of rehearsals only where they are asked for."""
    try:
        digest_desk().daily.start(Schedule(hour, webhook(), rehearsals))
        st.session_state.digest_error = ""
    except PlaygroundError as error:
        st.session_state.digest_error = str(error)


def send_no_more() -> None:
    """End the daily sending."""
    digest_desk().daily.stop()


def digest_error() -> str:
    """Why the last thing that was asked for did not work; empty where it did."""
    return str(st.session_state.get("digest_error", ""))


def forecast_taken() -> Expected | None:
    """The forecast that digests are held against. Raises `LedgerError`."""
    return expected(ledger().events(EVERYTHING, ("forecast",)), utc_today())


def can_take_forecast() -> bool:
    """Whether the Month page has a month whose every price is known."""
    plans = usual_bills()
    ran = plans is not None and trace() is not None and is_whole() and not unpriced(plans)
    return month_source() == "log" or ran


def take_forecast() -> None:
    """Hold digests against the month as it is set now, models only, under the plan that is chosen."""
    a, plan = assumptions(), knobs().plan
    spent = month(basis().spends[plan], a).tokens_usd
    ledger().note(forecast_event(plan, a.tickets_per_month, spent, datetime.now(UTC)))
    say("From now on digests are held against this month.")
