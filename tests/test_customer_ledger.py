"""Customers of the ledger's receipts: equal to the ledger's own sums, and a ticket counts once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from playground.customers import Customers
from playground.customers.concentration import gini, top_tenth
from playground.customers.listing import EVALUATED, Listing, rows
from playground.customers.prices import Prices, margin
from playground.customers.receipts import customer_days
from playground.customers.rows import from_days
from playground.customers.tiers import USUAL, placed
from playground.ledger import Filter
from playground.money import Total
from playground.report.joins import customers_part
from tests.test_digest import DAY, books, entry

LIVE = Filter(provenance="live")


def test_customers_are_the_ledgers_to_the_last_digit() -> None:
    ledger = books(
        entry("0.000000000001", who="a"),
        entry("0.1", who="a", days_ago=3, ticket="t2"),
        entry(None, who="a", ticket="t3"),
        entry("7", who="b, \U0001f600", ticket="t4", before="9"),
        entry("2", who=None, ticket="t5"),
        entry("5", who="a", provenance="rehearsal"),
    )
    found = Customers(from_days(customer_days(ledger, LIVE)))
    (whole,) = ledger.spend((), LIVE)
    assert found.total.cost == whole.total
    assert found.total.tickets == whole.tickets
    by_name = {s.key[0]: (s.tickets, s.total) for s in ledger.spend(("customer",), LIVE)}
    assert {c.name: (c.tickets, c.cost) for c in found.named()} == {k: v for k, v in by_name.items() if k is not None}
    assert found.unattributed is not None
    assert found.unattributed.cost == Total(Decimal(2))
    assert [c.name for c in found.named()] == ["b, \U0001f600", "a"]
    assert [c.before_usd for c in found.named()] == [9, None]
    ledger.close()


def test_a_ticket_whose_calls_fall_on_two_days_counts_on_the_first() -> None:
    over_midnight = (entry("1", days_ago=1), entry("2", days_ago=0))
    same_run = [type(e)(e.receipt, e.at, "one run", e.purpose, e.customer) for e in over_midnight]
    ledger = books(*same_run)
    days = customer_days(ledger, LIVE)
    assert [(d.day, d.tickets, d.cost.known_usd) for d in days] == [(DAY - timedelta(1), 1, 1), (DAY, 0, 2)]
    ledger.close()


def served_and_evaluated() -> Customers:
    """A customer with a served ticket, and one with nothing but a shadow run of $5."""
    ledger = books(
        entry("1", who="served", before="3"),
        entry("2", who="served", purpose="second opinion", before=None),
        entry("5", who="shadowed", purpose="shadow", days_ago=40, before=None),
        entry(None, who="shadowed", purpose="shadow", days_ago=40, before=None),
    )
    found = Customers(from_days(customer_days(ledger, LIVE)))
    (whole,) = ledger.spend((), LIVE, tickets=False)
    assert found.total.cost + found.evaluations == whole.total
    ledger.close()
    return found


def test_evaluations_stand_beside_what_served_a_customer() -> None:
    found = served_and_evaluated()
    (served,), shadowed = found.named(), found.evaluated_only
    assert shadowed is not None
    assert (served.name, served.tickets, served.cost, served.evaluations) == (
        "served",
        1,
        Total(Decimal(1)),
        Total(Decimal(2)),
    )
    assert served.before_usd == 3
    assert (shadowed.tickets, shadowed.cost, shadowed.evaluations) == (0, Total(), Total(Decimal(5), 1))
    assert (shadowed.name, shadowed.per_ticket) == (None, None)


def test_whom_no_ticket_was_served_is_no_customer() -> None:
    paying = [entry("1", who=f"c{n}", ticket=f"t{n}") for n in range(10)]
    alike = [entry("9", who=f"shadowed {n}", purpose="shadow", before=None) for n in range(40)]
    ledger = books(*paying, *alike, entry("4", who=None, purpose="shadow", before=None))
    found = Customers(from_days(customer_days(ledger, LIVE)))
    top = top_tenth(found)
    assert top is not None
    assert (found.count, found.unattributed, top.of, top.share) == (10, None, 10, Decimal("0.1"))
    assert gini(found.spends_usd) == 0
    assert found.evaluated_only is not None
    assert found.evaluated_only.evaluations == found.evaluations == Total(Decimal(364))
    assert found.total.cost + found.evaluations == ledger.spend((), LIVE)[0].total
    part, made = customers_part(found, "live"), list(rows(listing_of(found)))
    assert [line.label for line in part.lines] == [""] * 10 + [EVALUATED]
    assert [row[0] for row in made[1:]] == [f"c{n}" for n in range(10)] + [EVALUATED]
    assert made[-1][:6] == (EVALUATED, 0, 0, 0, 364, 0)
    ledger.close()


def listing_of(found: Customers) -> Listing:
    return Listing(found, "live", "receipts", Prices(Decimal(99)), USUAL["USD"], "USD")


def test_before_is_not_known_where_nothing_was_compared() -> None:
    assert [c.before_usd for c in served_and_evaluated().named()] == [3]


def test_evaluations_are_in_no_margin_tier_or_period() -> None:
    found = served_and_evaluated()
    assert found.period is not None
    assert found.period.days == 1
    (served,) = found.named()
    assert found.evaluated_only is not None
    assert margin(found.evaluated_only, Prices(Decimal(99)), found.period) is None
    paid = margin(served, Prices(Decimal(99)), found.period)
    assert paid is not None
    assert paid.models == Total(Decimal("30.4375"))
    assert placed(served, USUAL["USD"], "USD", found.period).month == Decimal("30.4375")


def test_a_failed_attempt_alone_is_compared_with_nothing() -> None:
    ledger = books(entry("1", who="a", outcome="failed", before=None))
    (found,) = Customers(from_days(customer_days(ledger, LIVE))).named()
    assert (found.before_usd, found.cost) == (None, Total(Decimal(1)))
    ledger.close()
