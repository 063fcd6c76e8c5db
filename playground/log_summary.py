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

from playground.batch_costs import UNPRICED, Whole, in_usd
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
    total = in_usd(int(priced.sum()))
    return PlanSummary(
        plan,
        len(costs),
        len(costs) - len(priced),
        total,
        total / len(priced) if len(priced) else None,
        {p: _percentile(priced, p) for p in LEAST},
        {stage: in_usd(int(table[:, i].sum())) for i, stage in enumerate(batch.stages)},
        {stage: batch.models[plan, stage] for stage in batch.stages},
    )


def _percentile(ascending: Whole, percent: int) -> Decimal | None:
    """The smallest cost that at least this share of tickets does not exceed."""
    n = len(ascending)
    if n < LEAST[percent]:
        return None
    return in_usd(int(ascending[-(-n * percent // 100) - 1]))


def top_share(costs: Whole, share: float = 0.01) -> Decimal | None:
    """What share of the spend the dearest tickets carry; `None` where fewer than one ticket is that share, or nothing is spent."""
    priced = np.sort(costs[costs < UNPRICED])
    few = int(len(priced) * share)
    if not few or not priced.sum():
        return None
    return Decimal(int(priced[-few:].sum())) / Decimal(int(priced.sum()))


@dataclass(frozen=True, slots=True)
class Group:
    """Tickets of one customer or one day; `usd` by plan leaves unpriced tickets out."""

    name: str
    tickets: int
    usd: Mapping[Plan, Decimal]


def by_customer(batch: PricedBatch) -> tuple[Group, ...]:
    """Customers, the dearest under the first plan first; tickets that name no customer are `NOBODY`'s."""
    from pandas import factorize

    rows, names = factorize(batch.customers)
    found = _grouped(batch, list(names), rows)
    first = next(iter(batch.costs))
    return tuple(sorted(found, key=lambda g: -g.usd[first]))


def by_day(batch: PricedBatch) -> tuple[Group, ...]:
    """Days in order, ISO dates; tickets without a date come last under an empty name."""
    days, rows = np.unique(np.where(batch.days == UNKNOWN, np.iinfo(np.int32).max, batch.days), return_inverse=True)
    names = [_iso(int(day)) for day in days]
    return tuple(_grouped(batch, names, rows))


def _iso(ordinal: int) -> str:
    return "" if ordinal == np.iinfo(np.int32).max else date.fromordinal(ordinal).isoformat()


def _grouped(batch: PricedBatch, names: list[str], rows: NDArray[Any]) -> list[Group]:
    tickets = np.bincount(rows, minlength=len(names))
    spent = {plan: _spent(batch.ticket_costs(plan), rows, len(names)) for plan in batch.costs}
    return [
        Group(name, int(tickets[i]), {plan: in_usd(int(usd[i])) for plan, usd in spent.items()})
        for i, name in enumerate(names)
    ]


def _spent(costs: Whole, rows: NDArray[Any], groups: int) -> Whole:
    spent = np.zeros(groups, np.int64)
    np.add.at(spent, rows, np.where(costs < UNPRICED, costs, 0))
    return spent
