"""What customers are worked out of, column by column: a ticket of a priced log, or a customer's day of receipts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import PICO, UNPRICED
from playground.log_pricing import PricedBatch
from playground.log_summary import NOBODY
from playground.log_tickets import UNKNOWN
from playground.money import Total
from playground.records import Plan

Sums = NDArray[Any]
"""Whole numbers of 64 bits, or Python's own where these do not suffice."""
NO_COST = Total()
_HALF = 24
_FITS = 1 << 62
CENTRAL = (0.05, 0.95)
"""Where nine tenths of the dates lie: one mistyped year must not stretch the period to decades."""


@dataclass(frozen=True, slots=True)
class CustomerDay:
    """One customer's receipts of one day; `None` where no customer is named, or no day is known.

    `tickets`, `cost` and `before_usd` are of tickets that were served. `evaluations` stand beside them: they serve nobody.
    """

    customer: str | None
    day: date | None
    tickets: int
    cost: Total
    before_usd: Decimal | None = None
    """`None` where a call that is compared has no price on today's models."""
    evaluations: Total = NO_COST
    compared: int = 1
    """Calls that `before_usd` is of: none of them, and nothing is known of before."""

    @property
    def serves(self) -> bool:
        """Whether any ticket was served, or tried."""
        return bool(self.tickets or self.cost.known_usd or self.cost.unpriced_calls)


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of one length. `code` is a place in `names`, -1 for nobody; `days` are ordinals, 0 where there is none.

    `pico`, `before` and `beside` are in 10^-12 USD; `unpriced` counts what `pico` lacks, `no_before` what `before` lacks, and
    `beside_unpriced` what `beside` lacks, which is what evaluations cost. `compared` counts what `before` is of.
    """

    names: NDArray[np.object_]
    code: NDArray[np.int64]
    days: NDArray[np.int64]
    tickets: NDArray[np.int64]
    pico: Sums
    unpriced: NDArray[np.int64]
    before: Sums
    no_before: NDArray[np.int64]
    compared: NDArray[np.int64]
    beside: Sums
    beside_unpriced: NDArray[np.int64]

    @property
    def serves(self) -> NDArray[np.bool_]:
        """Rows with tickets that were served, or tried: the others hold evaluations alone."""
        return np.asarray((self.tickets > 0) | (self.pico != 0) | (self.unpriced > 0), np.bool_)

    @property
    def span(self) -> tuple[date, date] | None:
        """The first and the last day on which anybody was served; `None` where no row has one."""
        dated = self.days[(self.days > 0) & self.serves]
        return (date.fromordinal(int(dated.min())), date.fromordinal(int(dated.max()))) if len(dated) else None


def from_log(batch: PricedBatch, plan: Plan) -> Rows:
    """A priced log's tickets under one plan, one round each. A ticket with an unpriced part is unpriced, as on the log's page."""
    from pandas import factorize

    code, names = factorize(batch.customers)
    costs = batch.ticket_costs(plan)
    before = batch.ticket_costs("before") if "before" in batch.costs else np.full(len(code), UNPRICED)
    return _rows(
        np.asarray(names, object),
        code.astype(np.int64),
        np.where(batch.days == UNKNOWN, 0, batch.days).astype(np.int64),
        np.ones(len(code), np.int64),
        np.where(costs == UNPRICED, 0, costs),
        (costs == UNPRICED).astype(np.int64),
        np.where(before == UNPRICED, 0, before),
        (before == UNPRICED).astype(np.int64),
        np.ones(len(code), np.int64),
        np.zeros(len(code), np.int64),
        np.zeros(len(code), np.int64),
    )


def from_days(days: Iterable[CustomerDay]) -> Rows:
    """Sums of receipts."""
    found = tuple(days)
    names: dict[str, int] = {}
    code = [-1 if d.customer in (None, NOBODY) else names.setdefault(d.customer, len(names)) for d in found]
    return _far_off(
        Rows(
            np.array(list(names), object),
            np.array(code, np.int64),
            np.array([0 if d.day is None else d.day.toordinal() for d in found], np.int64),
            np.array([d.tickets for d in found], np.int64),
            _whole([d.cost.known_usd for d in found]),
            np.array([d.cost.unpriced_calls for d in found], np.int64),
            _whole([d.before_usd or Decimal(0) for d in found]),
            np.array([d.before_usd is None and d.serves for d in found], np.int64),
            np.array([d.compared for d in found], np.int64),
            _whole([d.evaluations.known_usd for d in found]),
            np.array([d.evaluations.unpriced_calls for d in found], np.int64),
        )
    )


def _rows(names: NDArray[np.object_], code: NDArray[np.int64], *columns: Any) -> Rows:
    """With the nameless taken out of the names."""
    nobody = np.flatnonzero(names == NOBODY)
    if len(nobody):
        place = np.arange(len(names)) - (np.arange(len(names)) > nobody[0])
        place[nobody[0]] = -1
        code, names = place[code], np.delete(names, nobody)
    return _far_off(Rows(names, code, *columns))


def _far_off(rows: Rows) -> Rows:
    """A day more than two spans away from the middle nine tenths is taken for mistyped, as the Month page takes it."""
    dated = rows.days[rows.days > 0]
    if len(dated):
        low, high = (int(day) for day in np.quantile(dated, CENTRAL, method="nearest"))
        span = high - low + 1
        rows.days[(rows.days < low - 2 * span) | (rows.days > high + 2 * span)] = 0
    return rows


def _whole(amounts: list[Decimal]) -> Sums:
    pico = [round(a * PICO) for a in amounts]
    return np.array(pico, np.int64 if all(abs(p) < _FITS for p in pico) else object)


def sum_by(code: NDArray[np.int64], values: Sums, groups: int) -> Sums:
    """Whole numbers added up by group, exactly: sums that 64 bits do not hold come as Python's own numbers."""
    if values.dtype == object:
        found = np.zeros(groups, object)
        np.add.at(found, code, values)
        return found
    high, low = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    np.add.at(high, code, values >> _HALF)
    np.add.at(low, code, values & ((1 << _HALF) - 1))
    if int(np.abs(high).max(initial=0)) < _FITS >> (_HALF + 1):
        return np.asarray((high << _HALF) + low)
    return np.asarray((high.astype(object) << _HALF) + low.astype(object))
