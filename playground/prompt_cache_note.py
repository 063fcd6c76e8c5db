"""What prompt caching at the provider would change in a month that is without it, in one sentence to stand beside the month."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from playground.bill import PlanBill, cache_saving_usd, used_cache
from playground.log_forecast import LogForecast
from playground.money import usd
from playground.records import Plan, Trace
from playground.router import Router

OFF = "Prompt caching at the provider is off, and no figure here counts it. Providers that cache by themselves may still bill less."
METERED = "The ticket's reads and writes of the provider's cache are in its cost, as metered; plans that were not run are without."
NAMES: dict[Plan, str] = {"before": "today's models", "kr-auto": "kr-auto's models"}


def said_of_ticket(
    trace: Trace, router: Router, plans: Mapping[Plan, PlanBill], tickets_per_month: int, is_on: bool
) -> str:
    """For a month of tickets like one that ran; `plans` are the bills that the month is made of."""
    if any(used_cache(bill) for bill in plans.values()):
        return METERED
    if not is_on:
        return OFF
    n = tickets_per_month
    return _said({plan: cache_saving_usd(trace, router, plans[plan], n) for plan in NAMES}, n)


def said_of_log(found: LogForecast, tickets_per_month: int, is_on: bool) -> str:
    """For a month of a log's tickets, worked out for kr-auto only."""
    return _said({"kr-auto": found.levels.cached_at(tickets_per_month)}, tickets_per_month) if is_on else OFF


def _said(saved_usd_per_ticket: Mapping[Plan, Decimal], n: int) -> str:
    changes = " and ".join(_change(saved * n, NAMES[plan]) for plan, saved in saved_usd_per_ticket.items())
    return (
        "These figures, ranges and break-evens are without prompt caching at the provider, which is on: at "
        f"{n:,} tickets a month it would {changes}, one round of each ticket, reads less writes."
    )


def _change(saved_usd: Decimal, whose: str) -> str:
    if not saved_usd:
        return f"change nothing for {whose}"
    return f"add {usd(-saved_usd)} to {whose}" if saved_usd < 0 else f"take {usd(saved_usd)} off {whose}"
