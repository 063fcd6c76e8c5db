"""A priced log in figures: what a ticket costs in one round, and where the money goes. Order statistics, no average of averages.

A high percentile of few tickets is one ticket's luck: the 95th is refused below 72 tickets and the 99th below 368. All of n tickets
lie below the q-quantile with probability q^n; only where that is 2.5% or less has it a two-sided interval of 95%.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import UNPRICED, Whole, exact_sum, in_usd
from playground.log_pricing import PricedBatch
from playground.log_tickets import UNKNOWN
from playground.records import Plan

LEAST: Mapping[int, int] = {50: 1, 90: 36, 95: 72, 99: 368}
"""Percentile to the tickets it needs."""
NOBODY = ""
"""The customer of tickets that name none."""


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """One plan over a log, in USD. `percentiles` are `None` where the log is too short; sums leave unpriced tickets out."""

    plan: Plan
    tickets: int
    unpriced_tickets: int
    total_usd: Decimal
    mean_usd: Decimal | None
    percentiles_usd: Mapping[int, Decimal | None]
    stages_usd: Mapping[str, Decimal]
    models: Mapping[str, Mapping[str, int]]
    """Stage to how many tickets each candidate got."""


def summary(batch: PricedBatch, plan: Plan) -> PlanSummary:
    """One plan's figures."""
    costs = batch.ticket_costs(plan)
    priced = np.sort(costs[costs < UNPRICED])
    table = batch.costs[plan][costs < UNPRICED]
    total = in_usd(exact_sum(priced))
    return PlanSummary(
        plan,
        len(costs),
        len(costs) - len(priced),
        total,
        total / len(priced) if len(priced) else None,
        {p: _percentile(priced, p) for p in LEAST},
        {stage: in_usd(exact_sum(table[:, i])) for i, stage in enumerate(batch.stages)},
        {stage: batch.models[plan, stage] for stage in batch.stages},
    )


def _percentile(ascending: Whole, percent: int) -> Decimal | None:
    """The smallest cost that at least this share of tickets does not exceed."""
    n = len(ascending)
    if n < LEAST[percent]:
        return None
    return in_usd(int(ascending[-(-n * percent // 100) - 1]))


def top_share(costs: NDArray[Any], share: float = 0.01) -> Decimal | None:
    """What share of the spend the dearest tickets carry; `None` where fewer than one ticket is that share, or nothing is spent."""
    priced = np.sort(costs[costs < UNPRICED]).astype(np.float64)
    few = int(len(priced) * share)
    if not few or not priced.sum():
        return None
    return Decimal(str(round(float(priced[-few:].sum() / priced.sum()), 6)))


@dataclass(frozen=True, slots=True)
class Group:
    """Tickets of one customer or one day; `usd` by plan leaves unpriced tickets out."""

    name: str
    tickets: int
    usd: Mapping[Plan, Decimal]


@dataclass(frozen=True, slots=True)
class Customers:
    """Who costs what: how many are named, the dearest of them, and what the dearest tenth carries of what customers spend."""

    count: int
    dearest: tuple[Group, ...]
    total_usd: Mapping[Plan, Decimal]
    top_tenth: Mapping[Plan, Decimal]


MOST_CUSTOMERS = 1_000
"""Customers that are named; a log can have as many as tickets."""


def by_customer(batch: PricedBatch, by: Plan | None = None, most: int = MOST_CUSTOMERS) -> Customers:
    """Customers, the dearest under a plan first (the first plan by default); tickets that name none are `NOBODY`'s."""
    from pandas import factorize

    rows, names = factorize(batch.customers)
    spent = {plan: _spent(batch.ticket_costs(plan), rows, len(names)) for plan in batch.costs}
    order = np.argsort(-spent[by if by is not None else next(iter(batch.costs))], kind="stable")[:most]
    tickets = np.bincount(rows, minlength=len(names))
    return Customers(
        int((names != NOBODY).sum()),
        tuple(_group(str(names[i]), int(tickets[i]), spent, int(i)) for i in order),
        {plan: in_usd(exact_sum(usd)) for plan, usd in spent.items()},
        {plan: _top_tenth(usd[(names != NOBODY) & _priced(batch, plan, rows, names)]) for plan, usd in spent.items()},
    )


def _priced(batch: PricedBatch, plan: Plan, rows: NDArray[Any], names: NDArray[Any]) -> NDArray[np.bool_]:
    """Whose every ticket has a price: what is not known is in no measure of inequality, as on the customers' page."""
    unknown = rows[batch.ticket_costs(plan) == UNPRICED]
    return np.asarray(np.bincount(unknown, minlength=len(names)) == 0)


def _top_tenth(spent: Whole) -> Decimal:
    top, whole = exact_sum(np.sort(spent)[-max(1, len(spent) // 10) :]), exact_sum(spent)
    return Decimal(top) / whole if whole else Decimal(0)


def by_day(batch: PricedBatch) -> tuple[Group, ...]:
    """Days in order, ISO dates; tickets without a date come last under an empty name."""
    days, rows = np.unique(np.where(batch.days == UNKNOWN, np.iinfo(np.int32).max, batch.days), return_inverse=True)
    spent = {plan: _spent(batch.ticket_costs(plan), rows, len(days)) for plan in batch.costs}
    tickets = np.bincount(rows, minlength=len(days))
    return tuple(_group(_iso(int(day)), int(tickets[i]), spent, i) for i, day in enumerate(days))


def _iso(ordinal: int) -> str:
    return "" if ordinal == np.iinfo(np.int32).max else date.fromordinal(ordinal).isoformat()


def _group(name: str, tickets: int, spent: Mapping[Plan, Whole], i: int) -> Group:
    return Group(name, tickets, {plan: in_usd(int(usd[i])) for plan, usd in spent.items()})


def _spent(costs: Whole, rows: NDArray[Any], groups: int) -> Whole:
    spent = np.zeros(groups, np.int64)
    np.add.at(spent, rows, np.where(costs < UNPRICED, costs, 0))
    return spent


@dataclass(frozen=True, slots=True)
class LogFigures:
    """Everything that is shown of a priced log, worked out once."""

    plans: Mapping[Plan, PlanSummary]
    customers: Customers
    days: tuple[Group, ...]


def log_figures(batch: PricedBatch) -> LogFigures:
    """Work a priced log out."""
    last = list(batch.costs)[-1]
    return LogFigures({plan: summary(batch, plan) for plan in batch.costs}, by_customer(batch, last), by_day(batch))
