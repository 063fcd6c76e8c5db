"""One ticket as the basis of a month: what it costs when nothing goes wrong.

Whether an attempt failed in the one run is luck; multiplied by a month's volume it would be a false trend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from playground.bill import Line, PlanBill, fresh, priced
from playground.forecast import Spend
from playground.money import Total
from playground.prices import cost_usd
from playground.receipts import whole
from playground.records import Plan, Price, Trace, Usage
from playground.router import Router
from playground.ticket_prefixes import ticket_prefixes


def usual(trace: Trace, router: Router, plans: Mapping[Plan, PlanBill]) -> dict[Plan, PlanBill]:
    """The bills with a run that had failed attempts priced as if the chosen models had answered at once."""
    return {p: priced(trace, router, p) if bill.ran and _failed(bill) else bill for p, bill in plans.items()}


def _failed(bill: PlanBill) -> bool:
    return any(line.outcome != "ok" and not line.embedded for line in bill.lines)


def spend_of(trace: Trace, router: Router, bill: PlanBill, prompt_cache: bool = True) -> Spend:
    """What an average ticket like this one costs. Only for a bill in which every call has a price.

    Embeddings are left out: they come with the semantic cache, which is priced as a part of its own. What this one run found in
    the provider's cache says nothing of a month: it is taken out, and counted as a month keeps it where `prompt_cache` is on.
    """
    prices = {m.name: m.price for m in router.catalog.models}
    lines = [line for line in bill.lines if not line.embedded]
    plain = _total(lines, prices, fresh)
    answers = plain - _total(lines, prices, _silent)
    prefixes = ticket_prefixes(trace, router, bill) if prompt_cache else ()
    return Spend(plain, answers, prefixes=prefixes)


def stage_spend_of(trace: Trace, router: Router, bill: PlanBill, stage: str, prompt_cache: bool = True) -> Spend | None:
    """The same of one stage; `None` where a call of it has no price."""
    if bill.answers_total(stage).exact_usd is None:
        return None
    own = replace(trace, steps=tuple(s for s in trace.steps if s.stage == stage))
    lines = tuple(line for line in bill.lines if line.stage == stage)
    decisions = tuple(d for d in bill.decisions if d.stage == stage)
    return spend_of(own, router, replace(bill, lines=lines, decisions=decisions), prompt_cache)


def _total(lines: Iterable[Line], prices: Mapping[str, Price | None], adjust: Callable[[Usage], Usage]) -> Decimal:
    costs = (_cost_usd(line, prices.get(line.model), adjust(line.usage)) for line in lines)
    return Total.of(costs).known_usd


def _cost_usd(line: Line, price: Price | None, usage: Usage) -> Decimal | None:
    """What a line costs with another usage; as it stands where that is its own."""
    return line.cost_usd if usage == line.usage else whole(cost_usd(usage, price))


def _silent(usage: Usage) -> Usage:
    return replace(fresh(usage), output_tokens=0, reasoning_tokens=0)
