"""What prompt caching at the provider changes in a month, in words to stand beside its figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from playground.forecast import Spend
from playground.money import usd
from playground.prompt_caching import saved_usd
from playground.records import Plan

OFF = "Prompt caching at the provider is off, and no figure here counts it. Providers that cache by themselves may still bill less."
NONE = "No stage's fixed part is long enough for its model to cache it, so prompt caching at the provider changes nothing here."
LEAST_SHOWN = 0.005
NAMES: dict[Plan, str] = {"before": "today's models", "kr-auto": "kr-auto's models"}


def said_of_month(spends: Mapping[Plan, Spend], tickets_per_month: int, is_on: bool) -> str:
    """What is in the figures of a month, one round of each ticket: reads less writes, and how many calls write."""
    if not is_on:
        return OFF
    shown = [plan for plan in NAMES if plan in spends] or list(spends)
    if not any(spends[plan].prefixes for plan in shown):
        return NONE
    n = tickets_per_month
    changes = "; ".join(_change(saved_usd(spends[p].prefixes, n) * n, NAMES.get(p, p)) for p in shown)
    return (
        f"Prompt caching at the provider is in these figures, reads less writes: at {n:,} tickets a month, spread at random around "
        f"the clock, {changes}, one round of each ticket.{_late(spends[shown[-1]], n)}"
    )


def _change(saved: Decimal, whose: str) -> str:
    if not saved:
        return f"it changes nothing for {whose}, whose caches take no part this short or have no price"
    return f"it adds {usd(-saved)} to {whose}" if saved < 0 else f"it takes {usd(saved)} off {whose}"


def _late(spend: Spend, n: int) -> str:
    late = defaultdict[str, float](float)
    for p in spend.prefixes:
        late[p.stage] += p.share * p.written(n)
    most = max(late.values(), default=0.0)
    if most < LEAST_SHOWN:
        return ""
    return f" Of a stage's calls up to {most:.0%} come too late there and write anew."
