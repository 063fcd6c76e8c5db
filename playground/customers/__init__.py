"""Who spends it: customers with their spend, tickets, share and trend, from a priced log or from sums of receipts.

What nobody is named for is kept apart: it is no customer, and stands in no share of customers. Money is exact: whole numbers of
10^-12 USD until the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import PICO, in_usd
from playground.customers.rows import NO_COST, Rows, sum_by
from playground.forecast import DAYS_IN_MONTH
from playground.money import Total


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `since` to `until`, both included."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.since).days + 1

    @property
    def half(self) -> int:
        """Days of either half: with an odd number of days the middle one belongs to neither."""
        return self.days // 2

    @property
    def per_month(self) -> Decimal:
        """What turns a sum over the period into one a month."""
        return DAYS_IN_MONTH / self.days

    def __str__(self) -> str:
        if self.days == 1:
            return f"{self.since:%-d %B %Y}"
        return f"{self.since:%-d %B %Y} to {self.until:%-d %B %Y}"


@dataclass(frozen=True, slots=True)
class Part:
    """Tickets and what they cost."""

    tickets: int
    cost: Total


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer's period; `name` is `None` for all that no customer is named for.

    `first` and `second` are the halves of the period; `None` where it has none. An unpriced part of a cost is a ticket in a log
    and a call among receipts.
    """

    name: str | None
    tickets: int
    cost: Total
    before_usd: Decimal | None
    """What the same work costs on the models of today; `None` where that is not known."""
    first: Part | None
    second: Part | None
    evaluations: Total = NO_COST
    """What shadow runs, judges and second opinions cost on its tickets: beside `cost`, and in no margin, tier or trend."""

    @property
    def per_ticket(self) -> Total | None:
        """Cost of an average ticket: at least this where a part has no price; `None` without a ticket."""
        if not self.tickets:
            return None
        return Total(self.cost.known_usd / max(1, self.tickets), self.cost.unpriced_calls)

    @property
    def is_new(self) -> bool:
        """Whether all of it came in the second half."""
        return self.first is not None and self.second is not None and not self.first.tickets and self.second.tickets > 0

    @property
    def change(self) -> Decimal | None:
        """Spend in the second half over that in the first, less 1; `None` where it is new or a part has no price."""
        if self.first is None or self.second is None:
            return None
        old, new = self.first.cost.exact_usd, self.second.cost.exact_usd
        return None if not old or new is None else new / old - 1


class Customers:
    """Every customer of a period, the dearest first, and the sums. Shares and concentration leave out what nobody is named for.

    A million tickets are worked out in about a second; `named` makes the customers that are asked for.
    """

    def __init__(self, rows: Rows, asked: Period | None = None) -> None:
        """All of the rows, or those of the days that are asked for; then tickets without a date are left out."""
        self.period = asked if asked is not None or rows.span is None else Period(*rows.span)
        self._names = rows.names
        kept = np.ones(len(rows.code), np.bool_) if asked is None else _within(rows, asked)
        code, n = rows.code[kept] + 1, len(rows.names) + 1
        self._tickets, self._pico, self._unpriced, self._before, self._no_before, self._compared = (
            sum_by(code, column[kept], n)
            for column in (rows.tickets, rows.pico, rows.unpriced, rows.before, rows.no_before, rows.compared)
        )
        self._beside, self._beside_unpriced = (sum_by(code, c[kept], n) for c in (rows.beside, rows.beside_unpriced))
        self._halves = None if self.period is None or not self.period.half else _halves(rows, self.period, n)
        seen, served = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        seen[code], served[code[rows.serves[kept]]] = True, True
        who = np.flatnonzero(served[1:]) + 1
        self._order = who[np.argsort(-self._pico[who], kind="stable")]
        self._nobody = bool(served[0])
        self._evaluated = np.flatnonzero(seen & ~served)
        self.undated_tickets = int(rows.tickets[rows.days == 0].sum())
        """Tickets without a date, or with one far off: in neither half, and left out where days were asked for."""

    @property
    def count(self) -> int:
        """How many customers there are: those with a ticket that was served, or tried."""
        return len(self._order)

    @cached_property
    def evaluated_only(self) -> Customer | None:
        """All whom no ticket was served, in one without a name: evaluations name them, and they are no customers here."""
        if not len(self._evaluated):
            return None
        usd, unpriced = (sum(c[self._evaluated].tolist()) for c in (self._beside, self._beside_unpriced))
        return Customer(None, 0, NO_COST, None, None, None, Total(in_usd(usd), unpriced))

    def named(self, most: int | None = None) -> Iterator[Customer]:
        """The dearest customers; all of them if `most` is not given."""
        return (self._customer(int(i)) for i in self._order[:most])

    @cached_property
    def unattributed(self) -> Customer | None:
        """All that no customer is named for; `None` where there is no such ticket."""
        return self._customer(0) if self._nobody else None

    @cached_property
    def named_usd(self) -> Decimal:
        """The priced spend of all customers: what shares are shares of."""
        return in_usd(int(sum(self._pico[self._order].tolist())))

    @cached_property
    def total(self) -> Part:
        """Everything that was served, customers and the rest."""
        cost = Total(in_usd(sum(self._pico.tolist())), sum(self._unpriced.tolist()))
        return Part(sum(self._tickets.tolist()), cost)

    @cached_property
    def evaluations(self) -> Total:
        """What evaluations cost, beside `total`: together they are all that was spent."""
        return Total(in_usd(sum(self._beside.tolist())), sum(self._beside_unpriced.tolist()))

    def share(self, customer: Customer) -> Decimal | None:
        """A customer's share of what all customers spend; `None` for nobody's, and where nothing is spent."""
        if customer.name is None or not self.named_usd:
            return None
        return customer.cost.known_usd / self.named_usd

    @property
    def spends_usd(self) -> NDArray[np.float64]:
        """Spend of each customer whose every part has a price, the dearest first: for curves, not for sums."""
        return self.spends_pico.astype(np.float64) / PICO

    @property
    def spends_pico(self) -> NDArray[Any]:
        """The same in whole 10^-12 USD, exactly."""
        return np.asarray(self._pico[self._order[self._unpriced[self._order] == 0]])

    @property
    def without_every_price(self) -> int:
        """Customers with a part that has no price: what they spend is not known, so they are in no measure of how unequal it is."""
        return int((self._unpriced[self._order] != 0).sum())

    def _customer(self, i: int) -> Customer:
        return Customer(
            None if i == 0 else str(self._names[i - 1]),
            int(self._tickets[i]),
            Total(in_usd(int(self._pico[i])), int(self._unpriced[i])),
            None if self._no_before[i] or not self._compared[i] else in_usd(int(self._before[i])),
            self._part(i, 0),
            self._part(i, 1),
            Total(in_usd(int(self._beside[i])), int(self._beside_unpriced[i])),
        )

    def _part(self, i: int, half: int) -> Part | None:
        if self._halves is None:
            return None
        tickets, pico, unpriced = (sums[half][i] for sums in self._halves)
        return Part(int(tickets), Total(in_usd(int(pico)), int(unpriced)))


def _within(rows: Rows, period: Period) -> NDArray[np.bool_]:
    return np.asarray((rows.days >= period.since.toordinal()) & (rows.days <= period.until.toordinal()))


def _halves(rows: Rows, period: Period, n: int) -> tuple[tuple[NDArray[np.generic], ...], ...]:
    first, last = period.since.toordinal(), period.until.toordinal()
    halves = (
        (rows.days >= first) & (rows.days < first + period.half),
        (rows.days <= last) & (rows.days > last - period.half),
    )
    columns = (rows.tickets, rows.pico, rows.unpriced)
    return tuple(tuple(sum_by(rows.code[half] + 1, column[half], n) for half in halves) for column in columns)
