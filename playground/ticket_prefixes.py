"""The fixed parts of one ticket's prompts, as providers cache them under a plan, and what that saves at a volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from playground.bill import PlanBill, answered, fresh, priced_lines
from playground.money import Total
from playground.pipeline import Stage
from playground.prices import cached_prefix
from playground.prompt_caching import CachedPrefix, keeps_s, saved_usd
from playground.records import Candidate, Prompt, Step, Trace, Usage
from playground.router import Router

Kind = Literal["cache_read_tokens", "cache_write_tokens"]


def ticket_prefixes(trace: Trace, router: Router, bill: PlanBill) -> tuple[CachedPrefix, ...]:
    """The fixed parts that a bill's models cache: those of at least a model's minimum length, at models with a read price."""
    found = []
    for step, decision in zip(trace.steps, bill.decisions, strict=True):
        by = (answered(step) if bill.ran else None) or decision.chosen
        found.append(_prefix(router.pipeline.stage(step.stage), step, by))
    return tuple(p for p in found if p.read_usd or p.extra_usd)


def _prefix(stage: Stage, step: Step, candidate: Candidate) -> CachedPrefix:
    plain, read, written = (
        Total.of(line.cost_usd for line in priced_lines(stage, step, candidate, adjust)).known_usd
        for adjust in (fresh, _cached(candidate, "cache_read_tokens"), _cached(candidate, "cache_write_tokens"))
    )
    return CachedPrefix(stage.key, candidate.model.name, keeps_s(candidate.model), plain - read, written - read)


def _cached(candidate: Candidate, kind: Kind) -> Callable[[Usage, Prompt], Usage]:
    """A usage with its prompt's fixed part read or written; what a provider writes for nothing is ordinary input to it."""
    price = candidate.model.price
    free = kind == "cache_write_tokens" and not (price and price.rates.cache_write_usd_per_mtok)

    def adjust(usage: Usage, prompt: Prompt) -> Usage:
        prefix = 0 if free else cached_prefix(candidate.model, min(prompt.prefix_tokens, usage.input_tokens))
        return replace(fresh(usage), **{kind: prefix})  # type: ignore[arg-type]

    return adjust


def cache_saving_usd(trace: Trace, router: Router, bill: PlanBill, tickets_per_month: float | None = None) -> Decimal:
    """What a ticket saves when each prompt's fixed part is read from the provider's cache, less what it pays for writing it.

    At a volume some calls come too late and write (`prompt_caching`); without one the cache is always warm. Below 0 it costs more
    than it saves.
    """
    prefixes = ticket_prefixes(trace, router, bill)
    if tickets_per_month is None:
        return sum((p.read_usd for p in prefixes), Decimal(0))
    return saved_usd(prefixes, tickets_per_month)


def used_cache(bill: PlanBill) -> bool:
    """Whether a run's calls read or wrote the provider's cache, as metered."""
    return any(line.usage.cache_read_tokens or line.usage.cache_write_tokens for line in bill.lines if line.ran)
