"""What prompt caching at the provider would change in a forecast that is without it, in one sentence beside the forecast."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from playground.bill import cache_saving_usd, used_cache
from playground.forecast import Assumptions
from playground.money import usd
from playground.records import Plan
from playground.ui import state

OFF = "Prompt caching at the provider is off, and no figure here counts it. Providers that cache by themselves may still bill less."
METERED = "The ticket's reads and writes of the provider's cache are in its cost, as metered; plans that were not run are without."
NAMES: dict[Plan, str] = {"before": "today's models", "kr-auto": "kr-auto's models"}


def prompt_cache_said(basis: state.Basis, a: Assumptions) -> str:
    """The sentence; money is a month's at the volume, one round of each ticket, reads less writes."""
    plans = state.usual_bills()
    if basis.log is None and plans is not None and any(used_cache(bill) for bill in plans.values()):
        return METERED
    if not state.runtime().prompt_cache:
        return OFF
    changes = " and ".join(_change(saved * a.tickets_per_month, NAMES[plan]) for plan, saved in _savings(basis, a))
    return (
        "These figures, ranges and break-evens are without prompt caching at the provider, which is on: at "
        f"{a.tickets_per_month:,} tickets a month it would {changes}, one round of each ticket, reads less writes."
    )


def _savings(basis: state.Basis, a: Assumptions) -> Iterator[tuple[Plan, Decimal]]:
    """Plan and what a ticket saves on average; a log is worked out for kr-auto only."""
    if basis.log is not None:
        yield "kr-auto", basis.log.levels.cached_at(a.tickets_per_month)
        return
    plans, done = state.usual_bills(), state.trace()
    assert plans is not None
    assert done is not None
    for plan in NAMES:
        yield plan, cache_saving_usd(done, state.run_router(), plans[plan], a.tickets_per_month)


def _change(saved_usd: Decimal, whose: str) -> str:
    if not saved_usd:
        return f"change nothing for {whose}"
    return f"add {usd(-saved_usd)} to {whose}" if saved_usd < 0 else f"take {usd(saved_usd)} off {whose}"
