"""The chart of receipts: a day's block is its sum, the small ones are put together, and a long time is drawn by weeks."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from playground.charts.ledger import MOST_DAYS, OTHERS, PALETTE, spend_over_time
from playground.ledger import Spend
from playground.money import Total

FIRST = date(2026, 3, 2)


def spend(day: int, name: str, usd: str | None) -> Spend:
    total = Total.of([None if usd is None else Decimal(usd)])
    return Spend(((FIRST + timedelta(days=day)).isoformat(), name), total, Total(), 1, 0, None)


def test_blocks_stand_on_each_other_and_the_title_names_the_largest() -> None:
    chart = spend_over_time([spend(0, "a", "1"), spend(0, "b", "3"), spend(2, "a", "0.5")], "model")
    rows = {(r.who, r.day.date()): (r.low, r.high) for r in chart.chart.data.itertuples()}
    third = FIRST + timedelta(days=2)
    assert rows == {("b", FIRST): (0.0, 3.0), ("a", FIRST): (3.0, 4.0), ("a", third): (0.0, 0.5)}
    assert chart.title == "b carries 67% of the spend"
    assert "In all $4.50: b $3.00, a $1.50" in chart.alt


def test_more_names_than_colours_are_put_together() -> None:
    names = [f"m{n}" for n in range(len(PALETTE) + 3)]
    chart = spend_over_time([spend(0, name, str(20 - n)) for n, name in enumerate(names)], "model")
    by = dict(zip(chart.chart.data.who, chart.chart.data.usd, strict=True))
    assert by[OTHERS] == 14 + 13 + 12
    assert len(by) == len(PALETTE) + 1


def test_a_single_day_is_a_bar_with_one_label() -> None:
    made = spend_over_time([spend(0, "a", "1"), spend(0, "b", "3")], "model").chart.to_dict()
    assert (made["mark"]["type"], made["encoding"]["x"]["field"], made["encoding"]["x"]["type"]) == (
        "bar",
        "said",
        "ordinal",
    )
    assert "x2" not in made["encoding"]
    (rows,) = made["datasets"].values()
    assert {(r["said"], r["low"], r["high"]) for r in rows} == {("2 Mar", 0.0, 3.0), ("2 Mar", 3.0, 4.0)}
    two = spend_over_time([spend(0, "a", "1"), spend(1, "b", "3")], "model").chart.to_dict()
    assert (two["mark"]["type"], two["encoding"]["x2"]["field"]) == ("rect", "end")


def test_a_long_time_is_drawn_by_weeks() -> None:
    chart = spend_over_time([spend(0, "a", "1"), spend(6, "a", "2"), spend(MOST_DAYS + 1, "a", "4")], "model")
    assert chart.chart.data.usd.tolist() == [3.0, 4.0]
    assert "USD a week" in str(chart.chart.to_dict())


@pytest.mark.parametrize("spends", [[], [spend(0, "a", None)]])
def test_without_money_there_is_a_sentence(spends: list[Spend]) -> None:
    chart = spend_over_time(spends, "model")
    assert chart.chart is None
    assert "no spend to draw" in chart.alt
