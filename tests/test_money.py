"""Sums with unknown parts, and how money reads."""

from __future__ import annotations

from decimal import Decimal

import pytest

from playground.money import Total, percent_change, usd

D = Decimal


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unpriced"), (D(0), "$0.00"), (D("0.00085"), "$0.000850"), (D("0.2904"), "$0.2904"), (D("3.2"), "$3.20"),
        (D("34400"), "$34,400"), (D("-0.05"), "-$0.0500"), (D("999.999"), "$1,000.00"),
    ],
)  # fmt: skip
def test_money_reads_the_same_everywhere(amount: Decimal | None, text: str) -> None:
    assert usd(amount) == text


def test_an_unknown_part_makes_a_sum_a_lower_bound() -> None:
    total = Total.of([D("0.1"), None, D("0.2")])
    assert str(total) == "at least $0.3000, 1 call unpriced"
    assert total.exact_usd is None
    assert str(Total.of([None, None])) == "unpriced (2 calls)"


def test_no_part_at_all_is_a_known_zero() -> None:
    assert Total.of([]).exact_usd == 0


@pytest.mark.parametrize(
    ("new", "old", "text"),
    [
        (D("0.0214"), D("0.0913"), "-77%"),
        (D(2), D(1), "+100%"),
        (D(1), D(1), "+0%"),
        (D("0.999"), D(1), "-0.1%"),
        (None, D(1), ""),
        (D(1), D(0), ""),
    ],
)
def test_change_carries_its_sign(new: Decimal | None, old: Decimal | None, text: str) -> None:
    assert percent_change(new, old) == text
