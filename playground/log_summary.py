"""A priced log in figures: what a ticket costs, and where the money goes. Order statistics, never an average of averages.

A high percentile of few tickets is one ticket's luck: the 95th is refused below 72 tickets and the 99th below 368. All of n tickets
lie below the q-quantile with probability q^n; only where that is 2.5% or less has it a two-sided interval of 95%.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from playground.batch_router import UNPRICED, in_usd
from playground.log_pricing import PricedBatch
from playground.records import Plan

LEAST: Mapping[int, int] = {50: 1, 90: 36, 95: 72, 99: 368}
"""Percentile to the tickets it needs."""


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


def _percentile(ascending: np.ndarray, percent: int) -> Decimal | None:
    """The smallest cost that at least this share of tickets does not exceed."""
    n = len(ascending)
    if n < LEAST[percent]:
        return None
    return in_usd(int(ascending[-(-n * percent // 100) - 1]))


def top_share(batch: PricedBatch, plan: Plan, share: float = 0.01) -> Decimal | None:
    """What share of the spend the dearest tickets carry; `None` where fewer than one ticket is that share, or nothing is spent."""
    costs = batch.ticket_costs(plan)
    priced = np.sort(costs[costs < UNPRICED])
    few = int(len(priced) * share)
    if not few or not priced.sum():
        return None
    return Decimal(int(priced[-few:].sum())) / Decimal(int(priced.sum()))


def by_customer(batch: PricedBatch, plan: Plan) -> dict[str, tuple[int, Decimal]]:
    """Customer to tickets and spend, dearest first; tickets without a customer under an empty name."""
    costs = batch.ticket_costs(plan)
    names, rows = np.unique(np.array(batch.customers, dtype=object).astype(str), return_inverse=True)
    spent = np.zeros(len(names), np.int64)
    np.add.at(spent, rows, np.where(costs < UNPRICED, costs, 0))
    number = np.bincount(rows, minlength=len(names))
    order = np.argsort(-spent, kind="stable")
    return {str(names[i]): (int(number[i]), in_usd(int(spent[i]))) for i in order}
