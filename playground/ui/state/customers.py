"""The session's customers: which numbers they are worked out of, what they pay, and the tiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import streamlit as st

from playground.customers import Customers, Period
from playground.customers.prices import Prices
from playground.customers.receipts import customer_days
from playground.customers.rows import Rows, from_days, from_log
from playground.customers.tiers import USUAL, Measure, Tier
from playground.ledger import Filter
from playground.records import Plan, Provenance
from playground.ui.state.ledger import ledger
from playground.ui.state.log import load_sample_log, log_desk

CustomerSource = Literal["receipts", "log"]
PROVENANCES: tuple[Provenance, ...] = ("live", "recorded", "rehearsal")


@dataclass
class CustomerDesk:
    """What the user set on the customers' page. `made` keeps the sums of all days and of those asked for."""

    own_prices: Mapping[str, Decimal] = field(default_factory=dict)
    tiers: dict[Measure, tuple[Tier, ...]] = field(default_factory=lambda: dict(USUAL))
    edits: int = 0
    """Tells the table of tiers from the one before it was put back."""
    made_of: tuple[object, ...] = ()
    made: dict[Period | None, Customers] = field(default_factory=dict)


def customer_desk() -> CustomerDesk:
    """The session's customers."""
    if "customer_desk" not in st.session_state:
        st.session_state.customer_desk = CustomerDesk()
    found: CustomerDesk = st.session_state.customer_desk
    return found


def provenances_kept() -> tuple[Provenance, ...]:
    """Kinds of receipts that the ledger holds, live ones first. They are never added up."""
    held = {s.key[0] for s in ledger().spend(("provenance",), Filter(), tickets=False)}
    return tuple(p for p in PROVENANCES if p in held)


def default_customer_source() -> CustomerSource:
    """Receipts where models were called; a few rehearsed tickets say less of customers than a log does."""
    return "receipts" if "live" in provenances_kept() else "log"


def customers_of_log(plan: Plan, asked: Period | None) -> Customers | None:
    """Customers of the priced log under a plan; the sample log where there is no other, and `None` until it is priced."""
    if log_desk().path is None and not log_desk().dropped:
        load_sample_log()
    batch = log_desk().priced
    if batch is None or plan not in batch.costs:
        return None
    # The batch itself stands in the key: a new one is another object, and an address may be used again.
    return _made((batch, plan), lambda: from_log(batch, plan), asked)


def customers_of_receipts(provenance: Provenance, asked: Period | None) -> Customers:
    """Customers of the ledger's receipts of one kind; evaluations stand beside what served them."""
    days = customer_days(ledger(), Filter(provenance=provenance))
    return _made((None, days), lambda: from_days(days), asked)


def _made(key: tuple[object, ...], make: Callable[[], Rows], asked: Period | None) -> Customers:
    """Sums are kept and not the rows: a million tickets are summed in a fraction of a second, and take much memory."""
    desk = customer_desk()
    if not desk.made_of or not _same(desk.made_of, key):
        desk.made_of, desk.made = key, {}
    if asked not in desk.made:
        desk.made = {days: kept for days, kept in desk.made.items() if days is None}
        desk.made[asked] = Customers(make(), asked)
    return desk.made[asked]


def _same(kept: tuple[object, ...], key: tuple[object, ...]) -> bool:
    """A batch is itself or another one; it is not compared number by number."""
    return kept[0] is key[0] and kept[1:] == key[1:]


def customer_prices(usual_usd: float | None) -> Prices:
    """One price for all, and those of the file."""
    return Prices(None if usual_usd is None else Decimal(str(usual_usd)), customer_desk().own_prices)


def take_prices(found: list[tuple[str, Decimal]]) -> None:
    """Use the prices of a file in place of those before."""
    customer_desk().own_prices = dict(found)


def forget_prices() -> None:
    """Let go of the file's prices."""
    customer_desk().own_prices = {}


def set_tiers(measure: Measure, tiers: tuple[Tier, ...]) -> None:
    """Use these tiers from now on."""
    customer_desk().tiers[measure] = tiers


def usual_tiers(measure: Measure) -> None:
    """Put the tiers to begin with back."""
    desk = customer_desk()
    desk.tiers[measure] = USUAL[measure]
    desk.edits += 1
