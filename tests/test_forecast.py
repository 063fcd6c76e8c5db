"""The month, against hand-worked values and the article's own assumptions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.forecast import VOLUME_RANGE, Assumptions, month, volumes

D = Decimal


def test_a_loop_of_two_at_p95_means_one_point_zero_nine_on_average() -> None:
    # sigma = ln 2 / 1.6449 = 0.42140; exp(sigma^2 / 2) = 1.09285
    assert Assumptions(p95_loop_factor=2).mean_loop_factor == pytest.approx(D("1.09285"), abs=D("0.00001"))


def test_the_articles_assumptions_give_43_cents_at_its_base() -> None:
    assert month(D("0.344"), Assumptions()).per_resolved_usd == pytest.approx(D("0.4272"), abs=D("0.0001"))


def test_a_month_by_hand() -> None:
    a = Assumptions(1_000, 1.0, 0.10, D(3), D(500))
    m = month(D("0.50"), a)
    assert (m.models_usd, m.repeats_usd, m.people_usd, m.fixed_usd) == (D(500), D(0), D(300), D(500))
    assert m.all_in_usd == D(1300)
    assert m.people_only_usd == D(3000)
    assert m.per_resolved_usd == D(1000) / D(900)
    assert m.break_even_tickets == 228  # 500 / (3 * 0.9 - 0.5) = 227.3
    assert m.break_even_resolved_share == D(1000) / D(3000)


def test_no_break_even_where_the_agent_costs_more_than_it_saves() -> None:
    assert month(D(3), Assumptions(escalation_share=0.5, human_cost_usd=D(3))).break_even_tickets is None


@pytest.mark.parametrize("a", [Assumptions(escalation_share=1.0), Assumptions(human_cost_usd=D(0))])
def test_extreme_assumptions_give_none_rather_than_an_error(a: Assumptions) -> None:
    m = month(D("0.1"), a)
    assert (m.per_resolved_usd is None) == (a.escalation_share == 1.0)
    assert (m.break_even_resolved_share is None) == (a.human_cost_usd == 0)


@given(
    st.decimals("0", "5", places=6),
    st.integers(*VOLUME_RANGE),
    st.floats(1, 10),
    st.floats(0, 1),
    st.decimals("0", "50", places=2),
    st.decimals("0", "10000", places=2),
)
def test_the_parts_add_up_exactly(
    cost: Decimal, n: int, loop: float, escalated: float, human: Decimal, fixed: Decimal
) -> None:
    m = month(cost, Assumptions(n, loop, escalated, human, fixed))
    assert m.models_usd + m.repeats_usd + m.people_usd + m.fixed_usd == pytest.approx(m.all_in_usd, abs=D("1e-15"))


@given(st.decimals("0.001", "1", places=4), st.decimals("1", "10000", places=2))
def test_break_even_is_the_first_volume_where_the_agent_is_not_dearer(cost: Decimal, fixed: Decimal) -> None:
    n = month(cost, Assumptions(fixed_cost_usd=fixed)).break_even_tickets
    assert n is not None
    at = month(cost, Assumptions(n, fixed_cost_usd=fixed))
    assert at.all_in_usd <= at.people_only_usd
    below = month(cost, Assumptions(n - 1, fixed_cost_usd=fixed))
    assert below.all_in_usd > below.people_only_usd


def test_volumes_run_from_a_thousand_to_ten_million_and_hold_the_default() -> None:
    assert (volumes()[0], volumes()[-1]) == VOLUME_RANGE
    assert Assumptions().tickets_per_month in volumes()
    assert list(volumes()) == sorted(set(volumes()))
