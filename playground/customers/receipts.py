"""Receipts of the ledger as customers' days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from playground.customers.rows import CustomerDay
from playground.ledger import By, Filter, Spend


class Spending(Protocol):
    """The part of a ledger that is read here."""

    def spend(self, by: Sequence[By] = ..., where: Filter = ..., tickets: bool = ...) -> tuple[Spend, ...]:
        """Sums of receipts."""


def customer_days(ledger: Spending, where: Filter) -> tuple[CustomerDay, ...]:
    """Every customer's days, in order. A ticket whose calls fall on two days counts on the first of them.

    Give a filter with one provenance: other kinds of receipts are never added up. Raises `LedgerError`.
    """
    by_day = ledger.spend(("customer", "day"), where)
    whole = {s.key[0]: s.tickets or 0 for s in ledger.spend(("customer",), where)}
    return tuple(_counted_once(map(_day, sorted(by_day, key=lambda s: (s.key[0] or "", s.key[1] or ""))), whole))


def _day(spend: Spend) -> CustomerDay:
    before = spend.before.known_usd if spend.before.exact_usd is not None else None
    day = None if spend.key[1] is None else date.fromisoformat(spend.key[1])
    return CustomerDay(spend.key[0], day, spend.tickets or 0, spend.total, before)


def _counted_once(days: Iterator[CustomerDay], whole: dict[str | None, int]) -> Iterator[CustomerDay]:
    """A customer's days hold its tickets at most once, so later days give way."""
    for found in days:
        counted = min(found.tickets, whole[found.customer])
        whole[found.customer] -= counted
        yield found if counted == found.tickets else replace(found, tickets=counted)
