"""Each stage's month: the stages of a plan add up to the month itself, and a model's cost is the router's own."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from playground.bill import assured, bills
from playground.forecast import Assumptions, month
from playground.knowledge import SAMPLES, sample_help_centre, sample_policies
from playground.log_forecast import LogForecast, log_forecast
from playground.log_pricing import PricedBatch, price_batch
from playground.logs import LogRead, preview, read_log
from playground.loop import run_all
from playground.migration import Trial
from playground.migration.paper import LogPaper, TicketPaper, stage_facts
from playground.pipeline import load_shipped
from playground.records import Plan
from playground.router import Router
from playground.ticket_month import spend_of, usual
from playground.tickets import samples
from playground.workshop import make_agent, make_router

A = Assumptions()
FLOW = load_shipped("support")
FIELDS: tuple[tuple[Plan, str], ...] = (
    ("before", "before_usd"),
    ("stratified", "stratified_usd"),
    ("kr-auto", "routed_usd"),
)


def priced(by: Router) -> tuple[PricedBatch, LogForecast]:
    path = SAMPLES / "log.csv"
    guess = preview(path).guess
    assert guess is not None
    batch = price_batch(next(iter(read_log(path, guess, LogRead()))), by, sample_help_centre(), sample_policies())
    found = log_forecast(batch)
    assert found is not None
    return batch, found


@pytest.fixture(scope="module")
def router() -> Router:
    return make_router(FLOW)


@pytest.fixture(scope="module")
def log(router: Router) -> tuple[PricedBatch, LogForecast]:
    return priced(router)


@pytest.mark.parametrize(("plan", "name"), FIELDS)
def test_the_stages_of_a_log_add_up_to_its_month(
    plan: Plan, name: str, router: Router, log: tuple[PricedBatch, LogForecast]
) -> None:
    facts = stage_facts(FLOW, LogPaper(log[0], router), log[1].spends, A, {})
    whole = month(log[1].spends[plan], A).tokens_usd
    assert abs(sum(getattr(s, name) for s in facts) - whole) < D("1e-15")


def test_a_stage_on_one_model_costs_what_pricing_the_log_on_it_says(
    router: Router, log: tuple[PricedBatch, LogForecast]
) -> None:
    paper = LogPaper(log[0], router)
    for stage in FLOW.stages:
        for plan in ("before", "stratified"):
            assert paper.spend_on(stage, paper.model(plan, stage)) == paper.spend(plan, stage)
    assert paper.spend_on(FLOW.stages[0], "gpt-99") is None


def test_what_kr_auto_would_use_by_estimates_is_the_same_where_a_log_was_priced_by_proof(
    router: Router, log: tuple[PricedBatch, LogForecast]
) -> None:
    by_proof = router.but(assurance="proven")
    batch, _ = priced(by_proof)
    strict, usual_ = LogPaper(batch, by_proof), LogPaper(log[0], router)
    assert [strict.model("kr-auto", s) for s in FLOW.stages] == [usual_.model("kr-auto", s) for s in FLOW.stages]
    for stage in FLOW.stages:
        found, known = strict.spend("kr-auto", stage), usual_.spend("kr-auto", stage)
        assert found is not None
        assert known is not None
        assert float(found.one_round_usd) == pytest.approx(float(known.one_round_usd), rel=0.1)


def test_the_stages_of_a_ticket_add_up_and_a_trial_gets_its_own_price() -> None:
    agent = make_agent(make_router(FLOW))
    trace = run_all(agent, next(iter(samples().values())), "kr-auto")
    plans = usual(trace, agent.router, bills(trace, agent.router))
    paper = TicketPaper(trace, agent.router, plans, assured(trace, agent.router, plans)["estimated"])
    spends = {plan: spend_of(trace, agent.router, bill) for plan, bill in plans.items()}
    trial = Trial("claude-haiku-4-5", "live", 500)
    facts = stage_facts(FLOW, paper, spends, A, {"intent": (trial, replace(trial, candidate="gpt-99"))})
    for plan, name in FIELDS:
        assert abs(sum(getattr(s, name) for s in facts) - month(spends[plan], A).tokens_usd) < D("1e-15")
    intent = facts[0]
    assert [t.usd_month for t in intent.trials] == [intent.stratified_usd, None]  # the tier's model is the same


def test_without_a_paper_nothing_is_priced() -> None:
    facts = stage_facts(FLOW, None, {}, A, {})
    assert {(s.before_usd, s.stratified_usd, s.routed_usd) for s in facts} == {(None, None, None)}
    assert all(s.to_prove > 100 for s in facts)
