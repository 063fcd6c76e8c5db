"""The waterfall of one ticket: from the models of 2025 to kr-auto, lever by lever; levels and changes add up exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from playground.bill import PlanBill, answered, fresh, priced_lines
from playground.money import Total
from playground.records import Candidate, Plan, Trace
from playground.router import Router
from playground.ticket_prefixes import cache_saving_usd, used_cache

MARKET = "Market price change"


@dataclass(frozen=True, slots=True)
class Lever:
    """One bar of the waterfall: a level, or a change from the level before it."""

    name: str
    usd: Decimal
    is_level: bool


def levers(
    trace: Trace,
    router: Router,
    plans: Mapping[Plan, PlanBill],
    tickets_per_month: float | None = None,
    prompt_cache: bool | None = None,
) -> tuple[Lever, ...]:
    """From 2025's models to kr-auto with prompt caching where that is on; levels and changes add up exactly.

    `prompt_cache` is as the agent has it unless given.

    The cache is as warm as a month of such tickets keeps it; always warm where no volume is given.

    Every level but the last is without cache and without retries, so that each lever holds one thing only. Empty where a call
    has no price: a part of a sum is no level.
    """
    plain = {plan: _without_cache(trace, router, bill) for plan, bill in plans.items()}
    if any(total.exact_usd is None for total in plain.values()):
        return ()
    levels: list[tuple[str, str, Decimal]] = []
    reference = _reference(trace, router)
    if reference is not None:
        levels.append(("", "2025 models", reference))
    levels.append((MARKET, "Before", plain["before"].known_usd))
    levels.append(("Tiers", "Stratified", plain["stratified"].known_usd))
    levels.append(("Routing", "kr-auto", plain["kr-auto"].known_usd))
    routed = plans["kr-auto"]
    if routed.failed.known_usd:
        levels.append(("Retries", "kr-auto, all in", levels[-1][2] + routed.failed.known_usd))
    is_on = router.pipeline.runtime.prompt_cache if prompt_cache is None else prompt_cache
    if is_on or used_cache(routed):
        level = _cached_level(trace, router, routed, levels[-1][2], tickets_per_month)
        levels.append(("Prompt caching", "kr-auto, cached", level))
    return tuple(walk(levels))


def _without_cache(trace: Trace, router: Router, bill: PlanBill) -> Total:
    total = Total()
    for step, decision in zip(trace.steps, bill.decisions, strict=True):
        candidate = answered(step) if bill.ran else decision.chosen
        lines = priced_lines(router.pipeline.stage(step.stage), step, candidate or decision.chosen, fresh)
        total += Total.of(line.cost_usd for line in lines)
    return total


def _cached_level(
    trace: Trace, router: Router, routed: PlanBill, before_usd: Decimal, tickets_per_month: float | None
) -> Decimal:
    """The metered bill where the provider's cache was used in the run, else what it would leave at a volume."""
    if used_cache(routed):
        return Total.of(line.cost_usd for line in routed.lines if not line.embedded).known_usd
    return before_usd - cache_saving_usd(trace, router, routed, tickets_per_month)


def walk(levels: Sequence[tuple[str, str, Decimal]]) -> Iterable[Lever]:
    """Levels as (the change that leads to it, its name, USD) into bars; a level without a name is no bar of its own."""
    yield Lever(levels[0][1], levels[0][2], True)
    for (_, _, old), (change, name, new) in pairwise(levels):
        yield Lever(change, new - old, False)
        if name:
            yield Lever(name, new, True)


def _reference(trace: Trace, router: Router) -> Decimal | None:
    """The same work on the models each stage ran on in 2025; `None` where a stage names none."""
    total = Total()
    for step in trace.steps:
        stage = router.pipeline.stage(step.stage)
        if stage.reference is None:
            return None
        candidate = Candidate(router.catalog.by_name(stage.reference))
        total += Total.of(line.cost_usd for line in priced_lines(stage, step, candidate, fresh))
    return total.exact_usd
