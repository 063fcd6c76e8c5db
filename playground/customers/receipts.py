"""Receipts of the ledger as customers' days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from playground.customers.rows import CustomerDay
from playground.ledger import By, Filter, Spend
from playground.ledger.rows import COMPARED
from playground.money import Total
from playground.records import PURPOSES


class Spending(Protocol):
    """The part of a ledger that is read here."""

    def spend(self, by: Sequence[By] = ..., where: Filter = ..., tickets: bool = ...) -> tuple[Spend, ...]:
        """Sums of receipts."""


SERVED = tuple(p for p in PURPOSES if p in COMPARED)
EVALUATIONS = tuple(p for p in PURPOSES if p not in COMPARED)
"""What calls were made for that served nobody."""
NONE = Spend((), Total(), Total(), 0, 0, 0)


def customer_days(ledger: Spending, where: Filter) -> tuple[CustomerDay, ...]:
    """Every customer's days, in order. A ticket whose calls fall on two days counts on the first of them.

    Tickets are those that were served, in the notebook and in samples; evaluations stand beside them. Give a filter with one
    provenance and no purposes: other kinds of receipts are never added up. Raises `LedgerError`.
    """
    served, beside = replace(where, purposes=SERVED), replace(where, purposes=EVALUATIONS)
    days = {s.key: s for s in ledger.spend(("customer", "day"), served)}
    besides = {s.key: s.total for s in ledger.spend(("customer", "day"), beside, False)}
    whole = {s.key[0]: s.tickets or 0 for s in ledger.spend(("customer",), served)}
    keys = sorted(days.keys() | besides.keys(), key=lambda k: (k[0] or "", k[1] or ""))
    found = (_day(key, days.get(key, NONE), besides.get(key, Total())) for key in keys)
    return tuple(_counted_once(found, whole))


def _day(key: tuple[str | None, ...], spend: Spend, beside: Total) -> CustomerDay:
    before = spend.before.known_usd if spend.before.exact_usd is not None else None
    day = None if key[1] is None else date.fromisoformat(key[1])
    return CustomerDay(key[0], day, spend.tickets or 0, spend.total, before, beside, spend.attempts - spend.failed)


def _counted_once(days: Iterator[CustomerDay], whole: dict[str | None, int]) -> Iterator[CustomerDay]:
    """A customer's days hold its tickets at most once, so later days give way."""
    for found in days:
        counted = min(found.tickets, whole.get(found.customer, 0))
        whole[found.customer] = whole.get(found.customer, 0) - counted
        yield found if counted == found.tickets else replace(found, tickets=counted)
