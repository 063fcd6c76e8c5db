"""Customers against sums by hand, published Gini coefficients, and properties of shares."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.batch_costs import PICO, UNPRICED
from playground.customers import Customer, Customers, Period
from playground.customers.concentration import curve, gini, top_tenth
from playground.customers.listing import NOBODY, Listing, as_csv, as_xlsx
from playground.customers.prices import Prices, margin, read_prices
from playground.customers.rows import CustomerDay, from_days, from_log
from playground.customers.tiers import USUAL, Tier, placed, read_tiers, tier_of
from playground.errors import BadInput
from playground.log_summary import by_customer
from playground.logs import LogRead
from playground.money import Total
from playground.prices import PRICE_DATE
from tests.test_log_summary import batch

DAY = date(2026, 10, 1)
TIERS = (Tier("Small", Decimal(0)), Tier("Middle", Decimal(10)), Tier("Large", Decimal(100)))


def of(*days: tuple[str | None, int, int, str]) -> Customers:
    """Customer, day after the first of October, tickets, USD."""
    found = [CustomerDay(who, DAY + timedelta(n), tickets, Total(Decimal(usd))) for who, n, tickets, usd in days]
    return Customers(from_days(found))


def one(customers: Customers, name: str) -> Customer:
    return next(c for c in customers.named() if c.name == name)


@pytest.mark.parametrize(
    ("spends", "known"),
    [
        ([541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261], 0.4620911),  # R, ineq::Gini, its own example
        ([50, 50, 70, 70, 70, 90, 150, 150, 150, 150], 0.226),  # R, DescTools::Gini(unbiased=FALSE), statology.org
        ([1, 3, 2, 1, 1, 1, 4], 0.3076923),  # R, phylotools::gini, its own example
        ([10] * 6 + [20] * 7 + [25] * 7 + [55] * 14 + [70] * 22 + [90] * 20 + [110] * 8 + [115] * 4 + [130], 0.2632289),
        (list(range(1, 101)), 99 / 300),  # 1 to n: (n - 1) / 3n
        ([0, 0, 0, 5], 0.75),  # one of n has everything: (n - 1) / n
        ([7], 0.0),
    ],
)
def test_gini_is_what_others_compute(spends: list[int], known: float) -> None:
    assert gini(np.array(spends, float)) == pytest.approx(known, abs=5e-8)


def test_nothing_spent_has_no_gini_and_no_top() -> None:
    assert gini(np.array([])) is None
    assert gini(np.zeros(3)) is None
    assert top_tenth(of(("a", 0, 1, "0"), ("b", 0, 1, "0"))) is None


amounts = st.lists(st.integers(0, 10**15), min_size=1, max_size=60)


@given(amounts.filter(any), st.floats(1e-6, 1e6))
def test_gini_lies_between_0_and_1_and_knows_no_currency(spends: list[int], rate: float) -> None:
    found = gini(np.array(spends, float))
    assert found is not None
    assert 0 <= found <= 1 - 1 / len(spends) + 1e-12
    assert gini(np.array(spends, float) * rate) == pytest.approx(found, abs=1e-9)
    pairs = sum(abs(a - b) for a in spends for b in spends)
    assert found == pytest.approx(float(Fraction(pairs, 2 * len(spends) * sum(spends))), abs=1e-9)


@given(st.integers(1, 10**15), st.integers(1, 200))
def test_equal_spends_have_a_gini_of_0(spend: int, n: int) -> None:
    assert gini(np.full(n, float(spend))) == pytest.approx(0, abs=1e-12)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", None]), st.integers(0, 9), st.integers(0, 5), st.integers(0, 2 * 10**19)
        ),
        min_size=1,
    )
)
def test_nothing_is_lost_between_customers_and_the_sum(found: list[tuple[str | None, int, int, int]]) -> None:
    days = [CustomerDay(who, DAY + timedelta(n), t, Total(Decimal(pico) / PICO)) for who, n, t, pico in found]
    customers = Customers(from_days(days))
    parts = [*customers.named(), *([customers.unattributed] if customers.unattributed else [])]
    assert sum(c.cost.known_usd for c in parts) == customers.total.cost.known_usd == sum(d.cost.known_usd for d in days)
    assert sum(c.tickets for c in parts) == sum(d.tickets for d in days)
    shares = [s for c in customers.named() if (s := customers.share(c)) is not None]
    assert not shares or sum(shares) == pytest.approx(Decimal(1))
    assert customers.unattributed is None or customers.share(customers.unattributed) is None
    spends = [c.cost.known_usd for c in customers.named()]
    assert spends == sorted(spends, reverse=True)


def test_a_logs_customers_are_those_of_its_own_page_to_the_last_digit() -> None:
    rng = np.random.default_rng(1)
    names = [f"c{i}" if i else "" for i in rng.integers(0, 40, 900)]
    costs = rng.integers(1, 10**13, 900)
    costs[::50] = UNPRICED
    priced = batch(costs.tolist(), names, (DAY.toordinal() + rng.integers(0, 31, 900)).tolist())
    page, found = by_customer(priced), Customers(from_log(priced, "before"))
    assert [(g.name, g.tickets, g.usd["before"]) for g in page.dearest if g.name] == [
        (c.name, c.tickets, c.cost.known_usd) for c in found.named()
    ]
    nobody = next(g for g in page.dearest if not g.name)
    assert found.unattributed is not None
    assert (found.unattributed.tickets, found.unattributed.cost.known_usd) == (nobody.tickets, nobody.usd["before"])
    assert page.total_usd["before"] == found.total.cost.known_usd
    top = top_tenth(found)
    assert top is not None
    assert top.share == page.top_tenth["before"]
    assert found.total.cost.unpriced_calls == 18


def test_what_the_top_tenth_carries_counts_whole_customers_and_not_nobody() -> None:
    days = [(f"c{i}", 0, 1, "1") for i in range(18)]
    found = top_tenth(of(*days, ("big", 0, 9, "60"), ("small", 0, 1, "2"), (None, 0, 50, "1000")))
    assert found is not None
    assert (found.customers, found.of, found.share) == (2, 20, Decimal(62) / 80)
    assert str(found) == "The top 10% of customers (2 of 20) carry 78% of spend"
    few = top_tenth(of(("a", 0, 1, "3"), ("b", 0, 1, "1")))
    assert str(few) == "The dearest of 2 customers carries 75% of spend"
    assert curve(np.array([3.0, 1.0])) == ((0.0, 0.0), (0.5, 0.75), (1.0, 1.0))


def test_the_halves_of_an_odd_period_leave_out_the_middle_day() -> None:
    found = of(("a", 0, 1, "1"), ("a", 1, 1, "2"), ("a", 2, 1, "4"), ("a", 3, 1, "8"), ("a", 4, 1, "16"))
    a = one(found, "a")
    assert found.period == Period(DAY, DAY + timedelta(4))
    assert (a.first.cost.known_usd, a.second.cost.known_usd) == (3, 24)  # type: ignore[union-attr]
    assert a.change == 7
    assert a.cost.known_usd == 31


def test_new_gone_unpriced_and_dateless_have_no_made_up_trend() -> None:
    days = [
        CustomerDay("old", DAY, 1, Total(Decimal(5))),
        CustomerDay("new", DAY + timedelta(3), 2, Total(Decimal(1))),
        CustomerDay("dark", DAY, 1, Total(Decimal(1), 2)),
        CustomerDay("dark", DAY + timedelta(3), 1, Total(Decimal(3))),
        CustomerDay("dateless", None, 4, Total(Decimal(2))),
    ]
    found = Customers(from_days(days))
    assert (one(found, "old").change, one(found, "old").is_new) == (-1, False)
    assert (one(found, "new").change, one(found, "new").is_new) == (None, True)
    assert one(found, "dark").change is None
    assert str(one(found, "dark").cost) == "at least $4.00, 2 calls unpriced"
    assert str(one(found, "dark").per_ticket) == "at least $2.00, 2 calls unpriced"
    assert (one(found, "dateless").change, one(found, "dateless").is_new) == (None, False)
    assert found.undated_tickets == 4
    asked = Customers(from_days(days), Period(DAY, DAY))
    assert [c.name for c in asked.named()] == ["old", "dark"]
    assert asked.total.cost == Total(Decimal(6), 2)


def test_one_mistyped_year_does_not_stretch_the_period() -> None:
    days = [(f"c{n % 3}", n, 1, "1") for n in range(30)]
    found = of(*days, ("c0", -20_000, 1, "1"))
    assert found.period == Period(DAY, DAY + timedelta(29))
    assert (found.undated_tickets, found.total.tickets) == (1, 31)


def test_one_day_has_no_halves_and_no_trend() -> None:
    a = one(of(("a", 0, 3, "2")), "a")
    assert (a.first, a.second, a.change, a.is_new) == (None, None, None, False)


def test_who_crosses_into_a_higher_tier_at_the_pace_of_each_half() -> None:
    # 10 days: a half of 5 days is a month's sixth, so 30 tickets in it are a pace of 182.6 a month.
    found = of(("up", 0, 2, "0"), ("up", 9, 30, "0"), ("down", 0, 30, "0"), ("down", 9, 1, "0"), ("same", 0, 2, "0"))
    assert found.period is not None
    at = {c.name: placed(c, TIERS, "tickets", found.period) for c in found.named()}
    up = at["up"]
    assert up.first is not None
    assert up.second is not None
    assert (up.first.name, up.second.name, up.tier.name, up.crosses_up) == ("Middle", "Large", "Middle", True)
    assert up.month == Decimal(32) * Decimal("30.4375") / 10
    assert [at[n].crosses_up for n in ("down", "same")] == [False, False]


@pytest.mark.parametrize(("month", "name"), [("0", "Small"), ("9.99", "Small"), ("10", "Middle"), ("1e6", "Large")])
def test_a_tier_begins_at_its_threshold(month: str, name: str) -> None:
    assert tier_of(Decimal(month), TIERS).name == name


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "has to begin at 0"),
        ([{"name": "a", "start": 5}], "has to begin at 0"),
        ([{"name": "a", "start": 0}, {"name": "b", "start": 0}], "same threshold"),
        ([{"name": "a", "start": 0}, {"name": "a", "start": 9}], "same name"),
        ([{"name": "", "start": 0}], "no name"),
        ([{"name": "a", "start": None}], "no threshold"),
        ([{"name": "a", "start": -1}], "zero or more"),
        ([{"name": "a", "start": float("inf")}], "zero or more"),
        ([{"name": "a", "start": "many"}], "zero or more"),
    ],
)
def test_a_table_of_tiers_that_cannot_hold_is_one_sentence(rows: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_tiers(rows)


def test_an_edited_table_comes_in_any_order_with_empty_rows() -> None:
    rows = [{"name": "b", "start": 9.5}, {"name": None, "start": float("nan")}, {"name": " a ", "start": 0}]
    assert read_tiers(rows) == (Tier("a", Decimal(0)), Tier("b", Decimal("9.5")))


def test_a_margin_is_price_less_the_models_of_a_month() -> None:
    found = of(("a", 0, 1, "2"), ("a", 9, 1, "2"), (None, 0, 1, "1"))
    assert found.period is not None
    paid = margin(one(found, "a"), Prices(Decimal(50)), found.period)
    assert paid is not None
    assert paid.usd == Decimal(50) - Decimal(4) * Decimal("30.4375") / 10
    assert paid.share == paid.usd / 50
    assert found.unattributed is not None
    assert margin(found.unattributed, Prices(Decimal(50)), found.period) is None
    assert margin(one(found, "a"), Prices(), found.period) is None
    assert Prices(Decimal(5), {"a": Decimal(0)}).of("a") == 0
    assert margin(one(found, "a"), Prices(Decimal(0)), found.period).share is None  # type: ignore[union-attr]


def test_prices_from_a_file_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text('Customer,Price USD\na,"1,200.50"\nb,"49,90"\n,5\na,7\nc,nan\n=d,0\n')
    read = LogRead()
    assert list(read_prices(path, read)) == [("a", Decimal("1200.50")), ("=d", Decimal(0))]
    assert [p.line for p in read.problems] == [3, 4, 5, 6]
    path.write_text("who,what\na,1\n")
    with pytest.raises(BadInput, match="customer and price_usd"):
        list(read_prices(path))


HOSTILE = (
    '=HYPERLINK("http://x")',
    "+1",
    "-2",
    "@sum",
    "\tx",
    "a,b\nc",
    "<b>*x*</b>",
    "\U0001f600" * 3,
    "x" * 50_000,
    "\x01bell",
    "#N/A",
)


def listing() -> Listing:
    days = [
        CustomerDay(n, DAY + timedelta(i % 4), 3, Total(Decimal("0.000000000001") * 7)) for i, n in enumerate(HOSTILE)
    ]
    days.append(CustomerDay(None, DAY, 2, Total(Decimal(9), 1)))
    prices = Prices(Decimal(50), {"+1": Decimal(0)})
    tiers = (Tier("=Small", Decimal(0)), TIERS[1])
    return Listing(Customers(from_days(days)), "rehearsal", "=basis", prices, tiers, "tickets")


def test_the_list_for_account_management_holds_every_customer_inert() -> None:
    table = list(csv.DictReader(io.StringIO(as_csv(listing()).decode("utf-8-sig"))))
    assert len(table) == len(HOSTILE) + 1
    assert {r["provenance"] for r in table} == {"rehearsal"}
    assert {r["price_date"] for r in table} == {PRICE_DATE.isoformat()}
    assert {(r["period_since"], r["period_until"]) for r in table} == {("2026-10-01", "2026-10-04")}
    for row in table:
        for column, cell in row.items():
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), column
            assert not cell.startswith("-") or column.startswith("margin")
    last = table[-1]
    assert (last["customer"], last["spend_usd"], last["unpriced"], last["share_of_customers_spend"]) == (
        NOBODY,
        "9",
        "1",
        "",
    )
    assert (last["price_usd_a_month"], last["tier"]) == ("", "")
    assert table[0]["spend_usd"] == "0.000000000007"


def test_the_same_list_as_a_sheet_has_text_as_text_and_money_as_numbers() -> None:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(as_xlsx(listing())))
    cells = [c for row in book["Customers"].iter_rows() for c in row]
    assert {c.data_type for c in cells if c.value is not None} == {"s", "n"}
    head = [c.value for c in book["Customers"][1]]
    row = dict(zip(head, [c.value for c in book["Customers"][len(HOSTILE) + 2]], strict=True))
    assert (row["customer"], row["spend_usd"]) == (NOBODY, 9)
    about = {a.value: b.value for a, b in book["About"].iter_rows()}
    assert about["Provenance"] == "rehearsal"
    assert about["Prices of"] == PRICE_DATE.isoformat()
    assert about["Basis"] == "'=basis"


def test_a_sheet_holds_the_dearest_and_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    from openpyxl import load_workbook

    monkeypatch.setattr("playground.customers.listing.MOST_IN_A_SHEET", 3)
    book = load_workbook(io.BytesIO(as_xlsx(listing())))
    assert book["Customers"].max_row == 1 + 3 + 1
    about = {a.value: b.value for a, b in book["About"].iter_rows()}
    assert (about["Customers"], about["Of them in the sheet"]) == (len(HOSTILE), 3)


def test_customers_whose_spend_is_not_known_are_in_no_measure_of_inequality() -> None:
    days = [CustomerDay(f"c{n}", DAY, 1, Total(Decimal(1))) for n in range(10)]
    found = Customers(from_days([*days, CustomerDay("dark", DAY, 1, Total(Decimal(0), 3))]))
    assert gini(found.spends_usd) == pytest.approx(0)
    top = top_tenth(found)
    assert top is not None
    assert (top.of, top.share, top.left_out) == (10, Decimal("0.1"), 1)
    assert str(top).endswith("of spend; left out: 1 with a part that has no price")


def test_a_list_says_which_prices_and_tiers_are_only_examples() -> None:
    found = of(("acme", 0, 1, "1"), ("other", 1, 1, "1"))
    listing = Listing(found, "live", "b", Prices(Decimal(99), {"acme": Decimal(5)}), USUAL["tickets"], "tickets", True)
    head, *lines = csv.reader(io.StringIO(as_csv(listing).decode("utf-8-sig")))
    said = {line[0]: dict(zip(head, line, strict=True)) for line in lines}
    assert [(said[n]["tiers_are"], said[n]["price_is"]) for n in ("acme", "other")] == [
        ("example", "own"),
        ("example", "example"),
    ]
    own = replace(listing, tiers=(Tier("Free", Decimal(0)),), example_price=False)
    head, *lines = csv.reader(io.StringIO(as_csv(own).decode("utf-8-sig")))
    assert {(line[head.index("tiers_are")], line[head.index("price_is")]) for line in lines} == {("own", "own")}
