"""What a gate saves and wastes, over a month and on one ticket."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from playground.expected_cost import stage_usds, ticket_usd
from playground.forecast import Assumptions
from playground.gate_money import THRESHOLDS, GateCosts, gate_months, gate_ticket
from playground.guardrails import ConfidenceGate
from playground.loop import run_all
from playground.records import Request
from playground.runtime_cost import Held, Shares, Unit, month_parts
from tests.scripted import TICKET, Scripted, good, make

COSTS = GateCosts(Unit(Decimal("0.05"), Decimal("0.005"), Decimal("0.015")), Decimal("0.03"))
A = Assumptions(tickets_per_month=1_000, human_cost_usd=Decimal(3), escalation_share=0.0, retry_share=0.0)


def test_a_month_by_hand() -> None:
    """Of five drafts three lie below 0.7, one of them good; of the two that pass one is bad."""
    months = gate_months([0.2, 0.4, 0.6, 0.8, 0.9], [False, True, False, True, False], COSTS, A)
    (found,) = (m for m in months if m.row.threshold == 0.7)
    assert found.handed_over_tickets == 600
    assert found.calls_skipped == 1_200
    assert (found.saved_usd, found.wasted_usd, found.people_usd) == (Decimal(12), Decimal(18), Decimal(1_800))
    assert found.cost_usd == Decimal(1_788)
    assert (found.stopped_bad, found.row.needless, found.row.passed_bad) == (2, 1, 1)


def test_a_month_counts_rounds_retries_and_who_is_escalated_anyway_as_the_month_page_does() -> None:
    a = replace(A, escalation_share=0.2, retry_share=0.5)
    costs = replace(COSTS, rounds=Decimal(2))
    months = gate_months([0.2, 0.4, 0.6, 0.8, 0.9], [False, True, False, True, False], costs, a)
    (found,) = (m for m in months if m.row.threshold == 0.7)
    assert found.handed_over_tickets == 600
    assert found.calls_skipped == 3_600
    assert (found.saved_usd, found.wasted_usd, found.people_usd) == (Decimal(36), Decimal(54), Decimal(1_440))
    (part,) = month_parts(costs.unit, Shares(Held(0.6)), a, costs.rounds)
    assert (-found.saved_usd, found.people_usd) == (part.models_usd, part.people_usd)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_bad_drafts_are_stopped_or_pass(pairs: list[tuple[float, bool]]) -> None:
    months = gate_months([x for x, _ in pairs], [y for _, y in pairs], COSTS, A)
    bad = sum(not y for _, y in pairs)
    assert len(months) == len(THRESHOLDS)
    assert all(m.stopped_bad + m.row.passed_bad == bad for m in months)
    assert months[0].cost_usd == 0


def test_a_ticket_that_was_handed_over_saved_its_check_and_answer_and_wasted_the_rest() -> None:
    def answer(request: Request) -> str:
        if request.prompt.stage != "draft":
            return good(request)
        return json.dumps({**json.loads(good(request)), "confidence": 0.1})

    agent = make(Scripted(answer))
    trace = run_all(replace(agent, middleware=(ConfidenceGate(0.5),)), TICKET, "kr-auto")
    known = stage_usds(agent.router, agent.help_centre, agent.policies, TICKET, "kr-auto")
    found = gate_ticket(trace, known)
    assert found is not None
    assert found.saved_usd == sum(known[s] or 0 for s in ("check", "respond"))
    spent = sum(r.cost_usd or 0 for r in trace.receipts if r.stage != "summarise")
    assert found.wasted.exact_usd == spent
    assert gate_ticket(trace, {}) is not None
    assert gate_ticket(run_all(agent, TICKET, "kr-auto"), known) is None


def test_stages_add_up_to_the_ticket() -> None:
    agent = make()
    found = stage_usds(agent.router, agent.help_centre, agent.policies, TICKET, "kr-auto")
    whole = ticket_usd(agent.router, agent.help_centre, agent.policies, TICKET, "kr-auto")
    assert whole == sum(usd or 0 for usd in found.values())
