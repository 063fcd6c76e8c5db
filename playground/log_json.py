"""A priced log and its month as one JSON object: for scripts, for the page's download, and with every assumption beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from playground.bill import NOT_RUN
from playground.forecast import Assumptions, Month, Spend, break_even_tickets, month, year
from playground.log_export import TYPICAL
from playground.log_forecast import LogForecast, heavy
from playground.log_levers import log_levers
from playground.log_pricing import PricedBatch
from playground.log_summary import Group, PlanSummary, by_customer, by_day
from playground.logs import LogRead
from playground.prices import PRICE_DATE
from playground.records import Plan
from playground.tornado import tornado

SHOWN_PROBLEMS = 20
SHOWN_CUSTOMERS = 10


def as_json(
    batch: PricedBatch,
    found: Sequence[PlanSummary],
    read: LogRead,
    forecast: LogForecast | None,
    a: Assumptions,
    answers: str = TYPICAL,
    stopped: bool = False,
) -> dict[str, Any]:
    """Money as decimal strings, `null` where it is not known. `stopped`: pricing was cancelled before the end of the file."""
    days = by_day(batch)
    return {
        "provenance": NOT_RUN,
        "price_date": PRICE_DATE.isoformat(),
        "counted": "estimate",
        "answers": answers,
        "stopped": stopped,
        "tickets": len(batch.ids),
        "left_out": read.left_out,
        "problems": [p.reason for p in read.problems[:SHOWN_PROBLEMS]],
        "notes": read.notes,
        "hard_tickets": int(batch.hard.sum()),
        "input_tokens": int(batch.input_tokens.sum()),
        "plans": {s.plan: _plan(batch, s, days) for s in found},
        "month": None if forecast is None else month_json(forecast, a),
    }


def _plan(batch: PricedBatch, s: PlanSummary, days: Sequence[Group]) -> dict[str, Any]:
    customers = by_customer(batch, s.plan, SHOWN_CUSTOMERS)
    return {
        "total_usd": _money(s.total_usd),
        "mean_usd": _money(s.mean_usd),
        **{f"p{p}_usd": _money(value) for p, value in s.percentiles_usd.items()},
        "unpriced_tickets": s.unpriced_tickets,
        "stages": {k: {"cost_usd": _money(usd), "models": dict(s.models[k])} for k, usd in s.stages_usd.items()},
        "customers": [_group("customer", group, s.plan) for group in customers.dearest],
        "customer_count": customers.count,
        "top_tenth_of_customers_share": f"{customers.top_tenth[s.plan]:.4f}",
        "days": [_group("day", group, s.plan) for group in days],
    }


def _group(kind: str, group: Group, plan: Plan) -> dict[str, Any]:
    return {kind: group.name or None, "tickets": group.tickets, "cost_usd": _money(group.usd[plan])}


def month_json(forecast: LogForecast, a: Assumptions) -> dict[str, Any]:
    """A month of such tickets under each plan, what it assumes, and what moves it."""
    routed = forecast.spends.get("kr-auto")
    return {
        "assumptions": {k: str(v) if isinstance(v, Decimal) else v for k, v in asdict(a).items()},
        "measured": _measured(forecast),
        "plans": {plan: _month(spend, a) for plan, spend in forecast.spends.items()},
        "year": {plan: [_of_year(n, m) for n, m in year(spend, a)] for plan, spend in forecast.spends.items()},
        "assured": {kind: _month(spend, a) for kind, spend in forecast.assured.items()},
        "levers": [{"name": v.name, "usd": str(v.usd), "level": v.is_level} for v in log_levers(forecast, a)],
        "tornado": [] if routed is None else [_swing(s) for s in map(asdict, tornado(routed, a))],
    }


def _of_year(tickets: int, m: Month) -> dict[str, Any]:
    return {"tickets": tickets, "all_in_usd": _money(m.all_in_usd)}


def _measured(forecast: LogForecast) -> Mapping[str, Any]:
    again = forecast.again
    return {
        "tickets": forecast.tickets,
        "without_a_price": forecast.left_out,
        "tickets_per_month": forecast.tickets_per_month,
        "repeated_tickets": forecast.repeats,
        "range": {"method": forecast.method, "unit": forecast.unit, "clusters": forecast.clusters},
        "dated_far_off": forecast.far,
        "rounds_not_used": forecast.odd_rounds,
        "top_1_percent_share": {p: None if s is None else f"{s:.4f}" for p, s in forecast.top_shares.items()},
        "come_back": None
        if again is None
        else {"known": again.known, "share": again.share, "more_rounds": again.rounds},
        "top_1_percent_over_30_percent": [plan for plan, _ in heavy(forecast)],
    }


def _month(spend: Spend, a: Assumptions) -> dict[str, Any]:
    m = month(spend, a)
    money = {name: _money(value) for name, value in asdict(m).items()}
    return {**money, "break_even_tickets": break_even_tickets(spend, a), "all_in_usd": _money(m.all_in_usd)}


def _swing(swing: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _money(v) if isinstance(v, Decimal) else v for k, v in swing.items()}


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{round(amount, 12).normalize():f}"
