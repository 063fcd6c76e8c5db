"""The waterfall of a log's month: from the models of 2025 to kr-auto all in, lever by lever; the levers add up exactly."""

from __future__ import annotations

from decimal import Decimal

from playground.bill import MARKET, Lever, walk
from playground.forecast import Assumptions
from playground.log_forecast import LogForecast
from playground.money import ZERO, usd
from playground.records import PLANS

_STEP = Decimal("0.000001")


def log_levers(found: LogForecast, a: Assumptions, prompt_cache: bool = True) -> tuple[Lever, ...]:
    """A month's levers in USD, each level to a millionth of a dollar. Empty unless all three plans were priced.

    Where `prompt_cache` is off, prompt caching is no lever. How many calls write goes by tickets, one round of each, as everywhere.
    """
    if not set(PLANS) <= set(found.spends):
        return ()
    n, levels = Decimal(a.tickets_per_month), found.levels if prompt_cache else found.levels.without_prompt_cache()
    before, tiers, routed = (found.spends[p].one_round_usd for p in ("before", "stratified", "kr-auto"))
    steps = [(MARKET, "Before", before), ("Tiers", "Stratified", tiers), ("Routing", "kr-auto", routed)]
    if levels.reference_usd is not None:
        steps.insert(0, ("", "2025 models", levels.reference_usd))
    cached = routed - levels.cached_at(a.tickets_per_month)
    unique = cached - levels.repeated_at(a.tickets_per_month)
    steps += [("Prompt caching", "", cached)] if prompt_cache else []
    steps += [("Repeated tickets, cached", "", unique)]
    tried = unique * (1 + Decimal(str(a.retry_share)))
    steps += [("Failed attempts", "", tried)]
    returning = tried * found.spends["kr-auto"].mean_rounds(a)
    steps += [("Tickets that come back", "", returning)]
    people = (1 - a.resolved_share) * a.human_cost_usd
    steps += [("People, escalated", "", returning + people)]
    fixed = a.fixed_cost_usd / n if n else ZERO
    steps += [("Fixed cost", "All in, both caches" if prompt_cache else "All in, cached", returning + people + fixed)]
    return tuple(walk([(change, name, (usd * n).quantize(_STEP)) for change, name, usd in steps]))


def caching_said(found: LogForecast, a: Assumptions) -> str:
    """A sentence on prompt caching at a volume: how many calls pay for writing, and whether it is worth that."""
    levels = found.levels
    if not levels.writes:
        return "No stage's fixed part is long enough for its model to cache it."
    most = max(levels.writes, key=lambda w: w.written(a.tickets_per_month))
    share = f"up to {most.written(a.tickets_per_month):.0%} of a stage's calls come too late and write it anew"
    saved = levels.cached_at(a.tickets_per_month)
    judged = "so it costs more than it saves" if saved < 0 else f"which leaves {usd(saved)} a ticket"
    return f"At {a.tickets_per_month:,} tickets a month, spread at random, {share}, {judged}."
