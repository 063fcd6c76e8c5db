"""How long the customers of a million tickets take: from a priced log to sums, halves, top tenth, Gini, tiers and margins."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
from _report import quick, report

from playground.customers import Customers
from playground.customers.concentration import curve, gini, top_tenth
from playground.customers.listing import Listing, as_csv
from playground.customers.prices import Prices, margin
from playground.customers.rows import from_log
from playground.customers.tiers import USUAL, placed
from playground.log_pricing import PricedBatch

T = TypeVar("T")
TICKETS, CUSTOMERS, DAYS = 1_000_000, 50_000, 31


def main() -> None:
    rounds, batch = 3 if quick() else 7, made(TICKETS)
    from_log(batch, "kr-auto")  # loads pandas
    rows_s, rows = fastest(lambda: from_log(batch, "kr-auto"), rounds)
    sums_s, customers = fastest(lambda: Customers(rows), rounds)
    answer_s, _ = fastest(
        lambda: (top_tenth(customers), gini(customers.spends_usd), curve(customers.spends_usd)), rounds
    )
    page_s, _ = fastest(lambda: page(customers), rounds)
    listing = Listing(customers, "priced, not run", "made up", Prices(Decimal(99)), USUAL["tickets"], "tickets")
    csv_s, file = fastest(lambda: as_csv(listing), 1)
    figures = {"million_tickets_s": round(rows_s + sums_s + answer_s, 3), "page_50k_customers_s": round(page_s, 3)}
    conditions = {
        "tickets": TICKETS, "customers": customers.count, "csv_s": round(csv_s, 2), "csv_mb": round(len(file) / 1e6, 1),
    }  # fmt: skip
    report("customers", figures, {"million_tickets_s": 1.5, "page_50k_customers_s": 2.0}, conditions)


def page(customers: Customers) -> int:
    """What the page works out of every customer: its tier at either pace, and its margin."""
    period, prices = customers.period, Prices(Decimal(99))
    assert period is not None
    found = [(placed(c, USUAL["tickets"], "tickets", period), margin(c, prices, period)) for c in customers.named()]
    return sum(p.crosses_up for p, _ in found)


def fastest(work: Callable[[], T], rounds: int) -> tuple[float, T]:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return min(times), found


def made(n: int) -> PricedBatch:
    """A log whose customers differ in size as customers do: a few large ones, many small ones."""
    rng = np.random.default_rng(0)
    who = (CUSTOMERS * rng.random(n) ** 3).astype(np.int64)
    names = np.array(["", *(f"customer {i}" for i in range(1, CUSTOMERS))], object)
    costs: Any = {plan: rng.integers(10**9, 10**11, (n, 6)) for plan in ("before", "kr-auto")}
    zeros = np.zeros(n, np.int64)
    return PricedBatch(
        ids=np.array([""] * n, object),
        customers=names[who],
        days=(739_500 + rng.integers(0, DAYS, n)).astype(np.int32),
        rounds=zeros.astype(np.int32),
        satisfaction=zeros.astype(np.float32),
        labels=np.array([""] * n, object),
        stages=("intent", "rerank", "draft", "check", "respond", "summarise"),
        costs=costs,
        assured={},
        answers=dict.fromkeys(costs, zeros),
        cached=np.zeros((n, 6), np.int64),
        reference=zeros,
        prompts={},
        slots=(),
        input_tokens=np.ones((n, 6), np.int32),
        models={},
        hard=np.zeros(n, np.bool_),
    )


if __name__ == "__main__":
    main()
