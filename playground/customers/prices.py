"""What customers pay a month, from one price for all or from a file, and what is left of it after the models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from playground.customers import Customer, Period
from playground.logs import LogRead
from playground.logs.tables import Named, rows_of
from playground.money import Total

HIGHEST_USD = Decimal(10) ** 9
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Prices:
    """USD a month: `own` by customer, and `usual_usd` for everybody else; `None` where no price is known."""

    usual_usd: Decimal | None = None
    own: Mapping[str, Decimal] = field(default_factory=dict)

    def of(self, name: str | None) -> Decimal | None:
        """What a customer pays; nobody pays for what no customer is named for."""
        return None if name is None else self.own.get(name, self.usual_usd)

    def unknown(self, names: frozenset[str]) -> tuple[str, ...]:
        """Names in the file that no customer has."""
        return tuple(name for name in self.own if name not in names)


@dataclass(frozen=True, slots=True)
class Margin:
    """A customer's month: price less models. Where a part of the spend has no price, `usd` is at most this."""

    price_usd: Decimal
    models: Total

    @property
    def usd(self) -> Decimal:
        """What is left of the price."""
        return self.price_usd - self.models.known_usd

    @property
    def share(self) -> Decimal | None:
        """The same as a share of the price; `None` where the price is 0."""
        return self.usd / self.price_usd if self.price_usd else None


def margin(customer: Customer, prices: Prices, period: Period) -> Margin | None:
    """A customer's margin a month, the period scaled to one; `None` where it has no price."""
    price = prices.of(customer.name)
    return None if price is None else Margin(price, customer.cost * period.per_month)


def read_prices(path: Path, read: LogRead | None = None) -> Iterator[tuple[str, Decimal]]:
    """Prices by customer: columns `customer` and `price_usd`, in USD a month. CSV, XLSX, JSON or JSON lines.

    A row without a customer, without a price or with a second price for the same customer is left out and named. Raises `BadInput`
    where the columns are missing or no row can be used.
    """
    seen = set[str]()

    def take(number: int, row: Named, told: LogRead) -> tuple[str, Decimal] | None:
        name, price = str(row["customer"] or "").strip(), _amount(row["price_usd"])
        if not name or price is None:
            told.leave_out(number, "needs a customer, and a price_usd of zero or more such as 49.90.")
            return None
        if name in seen:
            told.leave_out(number, f"the customer {name[:60]!r} stood before; the first price counts.")
            return None
        seen.add(name)
        return name, price

    return rows_of(
        path, read, lambda names: {"customer", "price_usd"} <= names, "the columns customer and price_usd", take
    )


def _amount(cell: object) -> Decimal | None:
    """Commas stand between thousands only: 49,90 is refused, and not read as 4,990."""
    said = str(cell).strip().removeprefix("$")
    if "," in said and not _THOUSANDS.fullmatch(said):
        return None
    try:
        amount = Decimal(said.replace(",", ""))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount <= HIGHEST_USD else None
