"""A priced log and its month as one JSON object: for scripts, for the page's download, and with every assumption beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from playground.bill import NOT_RUN
from playground.forecast import Assumptions, Month, month
from playground.log_forecast import LogForecast, heavy
from playground.log_levers import log_levers
from playground.log_pricing import PricedBatch
from playground.log_summary import Group, PlanSummary, by_customer, by_day, top_share
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
) -> dict[str, Any]:
    """Money as decimal strings, `null` where it is not known."""
    days = by_day(batch)
    return {
        "provenance": NOT_RUN,
        "price_date": PRICE_DATE.isoformat(),
        "counted": "estimate",
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
    share = top_share(batch.ticket_costs(s.plan))
    return {
        "total_usd": _money(s.total_usd),
        "mean_usd": _money(s.mean_usd),
        **{f"p{p}_usd": _money(value) for p, value in s.percentiles_usd.items()},
        "unpriced_tickets": s.unpriced_tickets,
        "top_1_percent_share": None if share is None else f"{share:.4f}",
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
        "plans": {plan: _month(month(spend, a)) for plan, spend in forecast.spends.items()},
        "assured": {kind: _month(month(spend, a)) for kind, spend in forecast.assured.items()},
        "levers": [{"name": v.name, "usd": str(v.usd), "level": v.is_level} for v in log_levers(forecast, a)],
        "tornado": [] if routed is None else [_swing(s) for s in map(asdict, tornado(routed, a))],
    }


def _measured(forecast: LogForecast) -> Mapping[str, Any]:
    again = forecast.again
    return {
        "tickets": forecast.tickets,
        "without_a_price": forecast.left_out,
        "tickets_per_month": forecast.tickets_per_month,
        "repeated_tickets": forecast.repeats,
        "resampled": {"unit": forecast.unit, "clusters": forecast.clusters},
        "come_back": None
        if again is None
        else {"known": again.known, "share": again.share, "more_rounds": again.rounds},
        "top_1_percent_over_30_percent": [plan for plan, _ in heavy(forecast)],
    }


def _month(m: Month) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else _money(value) for name, value in asdict(m).items()} | {
        "all_in_usd": _money(m.all_in_usd)
    }


def _swing(swing: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _money(v) if isinstance(v, Decimal) else v for k, v in swing.items()}


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{round(amount, 12).normalize():f}"
