"""What stands around the calls, priced: known answers, and that nothing changes where everything is off."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.forecast import Assumptions
from playground.levers import Lever
from playground.runtime_cost import (
    WITH_PARTS,
    Held,
    Part,
    Shares,
    Unit,
    change_usd,
    month_parts,
    ticket_parts,
    with_parts,
)

UNIT = Unit(Decimal("0.10"), Decimal("0.01"), Decimal("0.03"), Decimal("0.05"))
A = Assumptions(tickets_per_month=1_000, escalation_share=0.2, human_cost_usd=Decimal(3), retry_share=0.0)
ALL = Shares(Held(0.25), 0.1, 0.02, 0.02)


def test_each_part_alone() -> None:
    """By hand: 1,000 tickets of 0.10, of which check and answer are 0.04; a person takes 3 USD, and has a fifth anyway."""
    one = Decimal(1)
    assert month_parts(UNIT, Shares(Held(0.25)), A, one) == (Part("Guardrails", Decimal(-10), Decimal(600)),)
    assert month_parts(UNIT, Shares(cached=0.1), A, one) == (Part("Caches", Decimal(-10)),)
    assert month_parts(UNIT, Shares(tried_again=0.02), A, one) == (Part("Failover", Decimal(2)),)
    assert month_parts(UNIT, Shares(second_opinions=0.02), A, one) == (Part("Second opinions", Decimal(1)),)


def test_what_the_semantic_cache_asks_is_taken_off_what_the_caches_save() -> None:
    """Every round of every ticket is embedded, and only what answers cost is saved; without a price nothing is known."""
    unit = replace(UNIT, embedding_usd=Decimal("0.002"))
    assert month_parts(unit, Shares(cached=0.1), A, Decimal(2)) == (Part("Caches", Decimal(-20 + 4)),)
    unknown = month_parts(replace(UNIT, embedding_usd=None), Shares(cached=0.1), A, Decimal(1))
    assert unknown == (Part("Caches", None),)
    assert change_usd(unknown) is None


def test_together_none_saves_what_another_has_saved() -> None:
    found = {p.name: p.models_usd for p in month_parts(UNIT, ALL, A, Decimal(1))}
    assert found == {
        "Guardrails": Decimal(-10),
        "Caches": Decimal(-9),
        "Failover": Decimal("1.62"),
        "Second opinions": Decimal(1),
    }
    assert change_usd(month_parts(UNIT, ALL, A, Decimal(1))) == Decimal("583.62")


def test_retries_and_rounds_multiply_what_is_saved_and_second_opinions_are_asked_once() -> None:
    a = Assumptions(tickets_per_month=1_000, escalation_share=0.2, human_cost_usd=Decimal(3), retry_share=0.5)
    found = {p.name: (p.models_usd, p.people_usd) for p in month_parts(UNIT, ALL, a, Decimal(2))}
    assert found["Guardrails"] == (Decimal(-30), Decimal(600))
    assert found["Second opinions"] == (Decimal(2), Decimal(0))


def test_where_everything_is_off_nothing_changes() -> None:
    levers = (Lever("kr-auto", Decimal("0.1"), True),)
    assert month_parts(UNIT, Shares(), A, Decimal(3)) == ()
    assert Shares().all_off
    assert change_usd(()) == 0
    assert with_parts(levers, ()) == levers


def test_one_ticket_is_without_people_and_without_retries() -> None:
    assert ticket_parts(UNIT, Shares(Held(0.25))) == (Part("Guardrails", Decimal("-0.01"), Decimal(0)),)


def test_a_second_opinion_without_a_price_is_no_zero() -> None:
    parts = month_parts(Unit(Decimal(1), Decimal(0), Decimal(0), None), Shares(second_opinions=0.5), A, Decimal(1))
    assert parts[0].models_usd is None
    assert change_usd(parts) is None
    levers = (Lever("kr-auto", Decimal(1), True),)
    assert with_parts(levers, parts) == levers


def test_the_waterfall_goes_on_from_its_last_level() -> None:
    steps = (("Before", "0.3", True), ("Routing", "-0.2", False), ("kr-auto", "0.1", True))
    levers = tuple(Lever(name, Decimal(usd), is_level) for name, usd, is_level in steps)
    found = with_parts(levers, ticket_parts(UNIT, ALL))
    assert found[:3] == levers
    assert [lever.name for lever in found[3:]] == ["Guardrails", "Caches", "Failover", "Second opinions", WITH_PARTS]
    assert found[-1].usd == Decimal("0.1") + sum(lever.usd for lever in found[3:-1])


share = st.none() | st.floats(0, 1)
usd = st.decimals(0, 100, places=6)


@given(share, share, share, share, usd, st.floats(0, 1), st.decimals(1, 5, places=3))
def test_parts_never_save_more_than_was_spent(
    held: float | None,
    cached: float | None,
    tried: float | None,
    second: float | None,
    cost: Decimal,
    after: float,
    rounds: Decimal,
) -> None:
    part = cost * Decimal(str(after)) / 2
    unit = Unit(cost, part, part, cost)
    parts = month_parts(unit, Shares(None if held is None else Held(held), cached, tried, second), A, rounds)
    left = cost * A.tickets_per_month * rounds + sum((p.models_usd or 0 for p in parts), Decimal(0))
    assert left >= -Decimal("1e-12")
    assert len(parts) == sum(x is not None for x in (held, cached, tried, second))
    assert all((p.models_usd or 0) <= 0 for p in parts if p.name in ("Guardrails", "Caches"))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(wrong: float) -> None:
    with pytest.raises(BadInput, match="handed over is"):
        Held(wrong)
    with pytest.raises(BadInput, match="by rule is"):
        Held(0.5, by_rule=wrong)
    with pytest.raises(BadInput, match="cached is"):
        Shares(cached=wrong)


def test_a_ticket_that_is_given_away_later_saves_less() -> None:
    """By hand: 250 of 1,000 tickets; the check costs 0.01 and the answer 0.03."""

    def saved(**how: float) -> Decimal | None:
        return month_parts(UNIT, Shares(Held(0.25, **how)), A, Decimal(1))[0].models_usd

    assert saved() == Decimal(-10)
    assert saved(skip_check=0.0) == Decimal("-7.5")
    assert saved(skip_check=0.0, skip_answer=0.5) == Decimal("-3.75")
    assert saved(skip_check=0.0, skip_answer=0.0) == 0


def test_what_a_rule_names_is_among_those_that_are_escalated_anyway() -> None:
    """By hand, of 1,000 tickets 200 are escalated and a person takes 3 USD."""

    def people(**how: float) -> Decimal:
        return month_parts(UNIT, Shares(Held(**how)), A, Decimal(1))[0].people_usd

    assert people(share=0.1, by_rule=1.0) == 0
    assert people(share=0.2, by_rule=1.0) == 0
    assert people(share=0.3, by_rule=1.0) == 300
    assert people(share=0.3, by_rule=1 / 3) == pytest.approx(Decimal(480))
    assert people(share=1.0, by_rule=0.5) == 3 * (300 + 250)
