"""The month, against hand-worked values and the article's own assumptions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.forecast import (
    VOLUME_RANGE,
    Assumptions,
    Spend,
    break_even_tickets,
    lognormal_mean,
    month,
    volumes,
    year,
)
from playground.tornado import tornado

D = Decimal


def test_a_loop_of_two_at_p95_means_one_point_zero_nine_on_average() -> None:
    # sigma = ln 2 / 1.6449 = 0.42140; exp(sigma^2 / 2) = 1.09285
    assert lognormal_mean(2) == pytest.approx(D("1.09285"), abs=D("0.00001"))
    assert Assumptions().assumed_rounds == pytest.approx(lognormal_mean(2), abs=D("0.001"))


def test_the_articles_assumptions_give_43_cents_at_its_base() -> None:
    found = month(Spend(D("0.344"), rounds=lognormal_mean(2)), Assumptions(retry_share=0))
    assert found.per_resolved_usd == pytest.approx(D("0.4272"), abs=D("0.0001"))


def test_a_month_by_hand() -> None:
    a = Assumptions(1_000, 0.2, 1.5, 0.10, D(3), D(500), retry_share=0.25)
    m = month(Spend(D("0.40"), one_round=(D("0.9"), D("1.2"))), a)
    assert (m.models_usd, m.retries_usd, m.repeats_usd) == (D(400), D(100), D(150))
    assert (m.people_usd, m.fixed_usd, m.all_in_usd) == (D(300), D(500), D(1450))
    assert (m.low_usd, m.high_usd) == (D("585") + 800, D("780") + 800)
    assert m.wasted_usd == D(65)
    assert m.people_only_usd == D(3000)
    assert m.per_resolved_usd == D(1150) / D(900)
    assert m.again_ticket_usd == D("1.25")
    assert break_even_tickets(Spend(D("0.40")), a) == 244  # 500 / (3 * 0.9 - 0.65) = 243.9
    assert m.break_even_resolved_share == D(1150) / D(3000)


def test_measured_rounds_stand_in_for_assumed_ones_unless_told_otherwise() -> None:
    spend = Spend(D(1), rounds=D(2))
    assert month(spend, Assumptions(again_share=0.5, retry_share=0)).repeats_usd == D(100_000)
    assert month(spend, Assumptions(again_share=0.5, own_rounds=False, retry_share=0)).repeats_usd == D(50_000)


def test_without_an_interval_a_month_has_no_range() -> None:
    m = month(Spend(D(1)), Assumptions())
    assert (m.low_usd, m.high_usd) == (None, None)


def test_no_break_even_where_the_agent_costs_more_than_it_saves() -> None:
    assert break_even_tickets(Spend(D(3)), Assumptions(escalation_share=0.5, human_cost_usd=D(3))) is None


@pytest.mark.parametrize("a", [Assumptions(escalation_share=1.0), Assumptions(human_cost_usd=D(0))])
def test_extreme_assumptions_give_none_rather_than_an_error(a: Assumptions) -> None:
    m = month(Spend(D("0.1")), a)
    assert (m.per_resolved_usd is None) == (a.escalation_share == 1.0)
    assert (m.break_even_resolved_share is None) == (a.human_cost_usd == 0)


ASSUMED = st.builds(
    Assumptions,
    st.integers(*VOLUME_RANGE),
    st.floats(0, 1),
    st.floats(0, 10),
    st.floats(0, 1),
    st.decimals("0", "50", places=2),
    st.decimals("0", "10000", places=2),
    st.floats(-0.5, 1),
    st.floats(0, 1),
)


@given(st.decimals("0", "5", places=6), ASSUMED)
def test_the_parts_add_up(cost: Decimal, a: Assumptions) -> None:
    m = month(Spend(cost), a)
    parts = m.models_usd + m.retries_usd + m.repeats_usd + m.people_usd + m.fixed_usd
    assert parts == pytest.approx(m.all_in_usd, abs=D("1e-12"))


@given(st.decimals("0.001", "1", places=4), st.decimals("1", "10000", places=2))
def test_break_even_is_the_first_volume_where_the_agent_is_not_dearer(cost: Decimal, fixed: Decimal) -> None:
    spend = Spend(cost)
    n = break_even_tickets(spend, Assumptions(fixed_cost_usd=fixed))
    assert n is not None
    at = month(spend, Assumptions(n, fixed_cost_usd=fixed))
    assert at.all_in_usd <= at.people_only_usd
    below = month(spend, Assumptions(n - 1, fixed_cost_usd=fixed))
    assert below.all_in_usd > below.people_only_usd


def test_a_year_grows_from_month_to_month() -> None:
    found = year(Spend(D(1)), Assumptions(1_000, again_share=0, escalation_share=0, growth_share=0.1, retry_share=0), 3)
    assert [n for n, _ in found] == [1_000, 1_100, 1_210]
    assert [m.all_in_usd for _, m in found] == [D(1000), D(1100), D(1210)]


def test_the_tornado_by_hand() -> None:
    a = Assumptions(1_000, again_share=0, escalation_share=0.10, human_cost_usd=D(3), retry_share=0)
    found = {s.name: s for s in tornado(Spend(D("0.50"), answers_usd=D("0.20"), one_round=(D("0.8"), D("1.5"))), a)}
    assert set(found) == {
        "Tickets a month", "Escalated to a person", "A person's ticket", "Length of answers", "Which tickets came",
    }  # fmt: skip
    assert (found["Tickets a month"].low_usd, found["Tickets a month"].high_usd) == (D(640), D(960))
    assert found["Escalated to a person"].span_usd == D(120)
    assert (found["Length of answers"].low_usd, found["Length of answers"].high_usd) == (D(760), D(840))
    assert (found["Which tickets came"].low_usd, found["Which tickets came"].high_usd) == (D(700), D(1050))


@given(ASSUMED, st.decimals("0.0001", "5", places=4))
def test_the_widest_swing_comes_first_and_shares_stay_shares(a: Assumptions, cost: Decimal) -> None:
    found = tornado(Spend(cost, answers_usd=cost / 2), a)
    assert [s.span_usd for s in found] == sorted((s.span_usd for s in found), reverse=True)
    escalated = next((s for s in found if s.name.startswith("Escalated")), None)
    assert escalated is None or float(escalated.high.rstrip("%")) <= 100


def test_volumes_run_from_a_thousand_to_ten_million_and_hold_the_default() -> None:
    assert (volumes()[0], volumes()[-1]) == VOLUME_RANGE
    assert Assumptions().tickets_per_month in volumes()
    assert list(volumes()) == sorted(set(volumes()))
