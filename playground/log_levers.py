"""The waterfall of a log's month: from the models of 2025 to kr-auto all in, lever by lever; the levers add up exactly."""

from __future__ import annotations

from decimal import Decimal

from playground.forecast import Assumptions
from playground.levers import MARKET, Lever, walk
from playground.log_forecast import LogForecast
from playground.money import ZERO
from playground.records import PLANS

_STEP = Decimal("0.000001")


def log_levers(found: LogForecast, a: Assumptions) -> tuple[Lever, ...]:
    """A month's levers in USD, each level to a millionth of a dollar. Empty unless all three plans were priced.

    Every level down to kr-auto is without the provider's cache, so that it is a lever of its own; none where it is off.
    """
    if not set(PLANS) <= set(found.spends):
        return ()
    n, levels, spend = Decimal(a.tickets_per_month), found.levels, found.spends["kr-auto"]
    before, tiers, routed = (found.spends[p].one_round_usd for p in ("before", "stratified", "kr-auto"))
    steps = [(MARKET, "Before", before), ("Tiers", "Stratified", tiers), ("Routing", "kr-auto", routed)]
    if levels.reference_usd is not None:
        steps.insert(0, ("", "2025 models", levels.reference_usd))
    cached = spend.cached_usd(a.tickets_per_month)
    unique = cached - levels.repeated_at(spend.prefixes, a.tickets_per_month)
    steps += [("Prompt caching", "", cached)] if spend.prefixes else []
    steps += [("Repeated tickets, cached", "", unique)]
    tried = unique * (1 + Decimal(str(a.retry_share)))
    steps += [("Failed attempts", "", tried)]
    more = (spend.all_rounds_usd(a, routed - cached) - cached) * (1 + Decimal(str(a.retry_share)))
    returning = tried + more * (unique / cached if cached else 1)
    steps += [("Tickets that come back", "", returning)]
    people = (1 - a.resolved_share) * a.human_cost_usd
    steps += [("People, escalated", "", returning + people)]
    fixed = a.fixed_cost_usd / n if n else ZERO
    steps += [("Fixed cost", "All in, both caches" if spend.prefixes else "All in, cached", returning + people + fixed)]
    return tuple(walk([(change, name, (usd * n).quantize(_STEP)) for change, name, usd in steps]))
