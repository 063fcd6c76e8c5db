"""What a stage climbs to when an output is bad: never to what the user has ruled out, and never past a budget."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from playground.options import Limits
from playground.records import Candidate, Considered, ReasonCode

CANNOT_RUN: frozenset[ReasonCode] = frozenset({"provider_off", "too_long", "never", "over_budget"})


def cheapest_first(option: Considered) -> tuple[bool, Decimal, str]:
    """Sort key: expected cost, unpriced last, then name."""
    return option.expected_cost_usd is None, option.expected_cost_usd or Decimal(0), option.candidate.key


def ladder(
    best: Considered, others: Sequence[Considered], before: Candidate, considered: Sequence[Considered], limits: Limits
) -> tuple[Candidate, ...]:
    """The winner, then the next one up that is no worse, from another model; else the before-model, if it may be called."""
    floor = best.quality.estimate or 0.0
    up = [
        c.candidate
        for c in others
        if c.candidate.model != best.candidate.model and (c.quality.estimate or 0.0) >= floor
    ]
    return callable_only((best.candidate, *up[:1]) if up else (best.candidate, before), considered, limits)


def callable_only(
    steps: tuple[Candidate, ...], considered: Sequence[Considered], limits: Limits
) -> tuple[Candidate, ...]:
    """The ladder without what the user has ruled out (its provider must never see a ticket) or cannot pay after the first."""
    known = {c.candidate.key: c for c in considered}
    first = known.get(steps[0].key)
    spent = first.cost_usd if first is not None and first.cost_usd is not None else Decimal(0)
    return (steps[0], *(c for c in steps[1:] if _may_follow(known.get(c.key), spent, limits)))


def _may_follow(option: Considered | None, spent: Decimal, limits: Limits) -> bool:
    if option is None:
        return True
    if option.code in CANNOT_RUN:
        return False
    return limits.left_usd is None or option.cost_usd is None or spent + option.cost_usd <= limits.left_usd
