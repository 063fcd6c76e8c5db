"""What a month is made of: the ticket that ran, or the log that was priced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from playground.bill import assured as bills_assured
from playground.forecast import Spend
from playground.log_forecast import LogForecast
from playground.records import PLANS, Assurance, Plan
from playground.ticket_month import spend_of
from playground.ui.state.guards import runtime
from playground.ui.state.log import log_desk
from playground.ui.state.recordings import recording
from playground.ui.state.runs import run_router, trace, usual_bills

Source = Literal["ticket", "log"]


@dataclass(frozen=True, slots=True)
class Basis:
    """What an average ticket costs under each plan, and under either assurance; `log` is `None` for a single ticket."""

    spends: Mapping[Plan, Spend]
    assured: Mapping[Assurance, Spend]
    log: LogForecast | None = None


def default_source() -> Source:
    """What was chosen; else the user's own log where one has been priced: the sample log only says what a log is like."""
    own = log_desk().forecast is not None and not log_desk().is_sample
    chosen: Source = st.session_state.get("chosen_source", "log" if own else "ticket")
    return chosen


def choose_source(source: Source) -> None:
    """Make months of the log or of the ticket from now on, on every page: a control's own state goes with its page."""
    st.session_state.chosen_source = source
    st.session_state.pop("month_of", None)


def keep_source() -> None:
    """Keep what the control says."""
    st.session_state.chosen_source = st.session_state.month_of


def month_source() -> Source:
    """The log where one has been priced under every plan, no recording is shown, and the user does not ask for the ticket."""
    found = log_desk().forecast
    usable = recording() is None and found is not None and set(PLANS) <= set(found.spends)
    return "log" if usable and default_source() == "log" else "ticket"


def basis() -> Basis:
    """What the month is made of now. Needs a priced log, or a run that got through every stage with every price known."""
    found = log_desk().forecast
    if month_source() != "log" or found is None:
        return ticket_basis()
    log = as_set(found)
    return Basis(log.spends, log.assured, log)


def as_set(found: LogForecast) -> LogForecast:
    """A log's forecast with prompt caching on or off, as it is set now."""
    return found if runtime().prompt_cache else found.without_prompt_cache()


def prompt_cache_is_on() -> bool:
    """Whether a month counts prompt caching at the provider: as it is set now, or as a recording had it."""
    replayed = recording()
    return (runtime() if replayed is None else replayed.router.pipeline.runtime).prompt_cache


def ticket_basis() -> Basis:
    """The same of the ticket that ran."""
    plans, done = usual_bills(), trace()
    assert plans is not None
    assert done is not None
    router, is_on = run_router(), prompt_cache_is_on()
    both = bills_assured(done, router, plans)
    return Basis(
        {plan: spend_of(done, router, bill, is_on) for plan, bill in plans.items()},
        {a: spend_of(done, router, bill, is_on) for a, bill in both.items()},
    )
