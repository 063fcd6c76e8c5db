"""One ticket as the basis of a month: what it costs when nothing goes wrong.

Whether an attempt failed in the one run is luck; multiplied by a month's volume it would be a false trend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from playground.bill import PlanBill, priced
from playground.forecast import Spend
from playground.money import Total
from playground.prices import cost_usd
from playground.records import Plan, Trace
from playground.router import Router


def usual(trace: Trace, router: Router, plans: Mapping[Plan, PlanBill]) -> dict[Plan, PlanBill]:
    """The bills with a run that had failed attempts priced as if the chosen models had answered at once."""
    return {p: priced(trace, router, p) if bill.ran and _failed(bill) else bill for p, bill in plans.items()}


def _failed(bill: PlanBill) -> bool:
    return any(line.outcome != "ok" for line in bill.lines)


def spend_of(bill: PlanBill, router: Router) -> Spend:
    """What an average ticket like this one costs. Only for a bill in which every call has a price."""
    return Spend(bill.total.known_usd, bill.total.known_usd - _without_answers(bill, router).known_usd)


def _without_answers(bill: PlanBill, router: Router) -> Total:
    prices = {m.name: m.price for m in router.catalog.models}
    silent = (replace(line.usage, output_tokens=0, reasoning_tokens=0) for line in bill.lines)
    return Total.of(cost_usd(u, prices.get(line.model)) for u, line in zip(silent, bill.lines, strict=True))
