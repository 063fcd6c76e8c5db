"""The sentence on prompt caching that stands beside a month's figures."""

from __future__ import annotations

from playground.forecast import Assumptions
from playground.prompt_cache_note import said_of_log, said_of_ticket
from playground.ui import state


def prompt_cache_said(basis: state.Basis, a: Assumptions) -> str:
    """What it would change at the volume, or that it is off."""
    is_on = state.runtime().prompt_cache
    if basis.log is not None:
        return said_of_log(basis.log, a.tickets_per_month, is_on)
    plans, done = state.usual_bills(), state.trace()
    assert plans is not None
    assert done is not None
    return said_of_ticket(done, state.run_router(), plans, a.tickets_per_month, is_on)
