"""A ticket as the basis of a month: a failed attempt of its run is not multiplied, an expected one is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from playground import tickets
from playground.answer_store import Answers
from playground.bill import assured, bills, dearer_stages, paid
from playground.guarded import Surroundings, guarded
from playground.lengths import observed, with_lengths
from playground.levers import levers
from playground.loop import run_all
from playground.money import Total
from playground.pipeline import load_shipped
from playground.records import EMBEDDED, PLANS, Usage
from playground.report.gather import ticket_spends
from playground.report.sources import TicketRun
from playground.runtime import ExactCache, Runtime
from playground.ticket_month import spend_of, stage_spend_of, usual
from playground.workshop import make_agent, make_router
from tests.test_cached_month import warmed

ROUTER = make_router(load_shipped("support"))
AGENT = make_agent(ROUTER)
TRACES = [run_all(AGENT, ticket, "kr-auto") for ticket in tickets.samples().values()]


def test_a_failed_attempt_is_in_the_bill_and_not_in_the_month() -> None:
    trace = next(t for t in TRACES if any(r.outcome != "ok" for r in t.receipts) and len(t.steps) == 6)
    plans = bills(trace, ROUTER)
    found = usual(trace, ROUTER, plans)
    assert plans["kr-auto"].failed.known_usd > 0
    assert found["kr-auto"].failed.known_usd == 0
    assert found["kr-auto"].total.known_usd < plans["kr-auto"].total.known_usd
    assert found["before"] is plans["before"]


def test_a_run_without_a_failure_is_taken_as_it_was_metered() -> None:
    trace = next(t for t in TRACES if all(r.outcome == "ok" for r in t.receipts))
    plans = bills(trace, ROUTER)
    assert usual(trace, ROUTER, plans) == plans


def test_answers_are_a_part_of_the_round() -> None:
    plans = usual(TRACES[0], ROUTER, bills(TRACES[0], ROUTER))
    for plan in PLANS:
        spend = spend_of(TRACES[0], ROUTER, plans[plan])
        assert spend.one_round_usd == plans[plan].total.known_usd
        assert 0 < spend.answers_usd < spend.one_round_usd


def test_answers_as_long_as_those_that_came() -> None:
    flow = with_lengths(ROUTER.pipeline, observed(TRACES[:2]))
    used = [
        a.receipt.usage.visible_tokens
        for t in TRACES[:2]
        for a in t.step("draft").attempts  # type: ignore[union-attr]
        if a.output is not None
    ]
    assert flow.stage("draft").typical_output_tokens == -(-sum(used) // len(used))
    assert with_lengths(flow, observed([replace(TRACES[0], steps=())])) == flow


def test_a_run_out_of_our_cache_makes_neither_its_plan_nor_the_month_free() -> None:
    """The second run is served whole; a month of new tickets still asks a model each time."""
    flow = replace(ROUTER.pipeline, runtime=Runtime(exact_cache=ExactCache()))
    store = Answers(None)
    agent = guarded(make_agent(make_router(flow)), Surroundings(answers=lambda _: store))
    ticket = next(t for t in TRACES if all(r.outcome == "ok" for r in t.receipts)).ticket
    first, second = (run_all(agent, ticket, "kr-auto") for _ in range(2))
    assert {r.source for r in second.receipts} == {"exact cache"}
    asked, kept = bills(first, agent.router), bills(second, agent.router)
    assert paid(second).total.known_usd == 0
    assert kept["kr-auto"].total == kept["kr-auto"].saved == asked["kr-auto"].total
    assert asked["kr-auto"].saved == Total()
    assert assured(second, agent.router, kept)["estimated"].total == asked["kr-auto"].total
    old, new = (
        spend_of(t, agent.router, usual(t, agent.router, b)["kr-auto"]) for t, b in ((first, asked), (second, kept))
    )
    assert old == new
    assert dearer_stages(kept) == dearer_stages(asked)


def test_an_embedding_is_in_the_bill_and_not_in_the_month() -> None:
    trace = next(t for t in TRACES if all(r.outcome == "ok" for r in t.receipts))
    first = trace.steps[0]
    receipt = replace(
        first.attempts[0].receipt, model="an embedder", rule=EMBEDDED, usage=Usage(40, 0), cost_usd=Decimal("0.0000008")
    )
    asked = replace(first.attempts[0], text="", output=None, receipt=receipt)
    with_it = replace(trace, steps=(replace(first, attempts=(asked, *first.attempts)), *trace.steps[1:]))
    plain, embedded = (bills(t, ROUTER) for t in (trace, with_it))
    assert embedded["kr-auto"].total.known_usd == plain["kr-auto"].total.known_usd + Decimal("0.0000008")
    assert {p: embedded[p] for p in ("before", "stratified")} == {p: plain[p] for p in ("before", "stratified")}
    assert spend_of(with_it, ROUTER, embedded["kr-auto"]) == spend_of(trace, ROUTER, plain["kr-auto"])
    assert levers(with_it, ROUTER, embedded, 10_000) == levers(trace, ROUTER, plain, 10_000)
    warm, warm_plain = warmed(with_it), warmed(trace)
    known = levers(warm_plain, ROUTER, bills(warm_plain, ROUTER), 10_000)
    assert known[-1].usd < plain["kr-auto"].total.known_usd
    assert levers(warm, ROUTER, bills(warm, ROUTER), 10_000) == known


def test_an_embedding_that_failed_or_has_no_price_takes_nothing_away() -> None:
    trace = next(t for t in TRACES if all(r.outcome == "ok" for r in t.receipts))
    first = trace.steps[0]
    for changes in ({"outcome": "failed", "cost_usd": Decimal("0.0000008")}, {"outcome": "ok", "cost_usd": None}):
        receipt = replace(first.attempts[0].receipt, rule=EMBEDDED, usage=Usage(40, 0), **changes)  # type: ignore[arg-type]
        asked = replace(first.attempts[0], text="", output=None, receipt=receipt)
        with_it = replace(trace, steps=(replace(first, attempts=(asked, *first.attempts)), *trace.steps[1:]))
        found, plain = bills(with_it, ROUTER)["kr-auto"], bills(trace, ROUTER)["kr-auto"]
        assert found.failed == Total()
        assert found.answers == plain.answers == plain.total
        assert usual(with_it, ROUTER, {"kr-auto": found}) == {"kr-auto": found}
        for stage in (s.stage for s in trace.steps):
            assert stage_spend_of(with_it, ROUTER, found, stage) == stage_spend_of(trace, ROUTER, plain, stage)
        run = TicketRun(with_it, bills(with_it, ROUTER), assured(with_it, ROUTER, bills(with_it, ROUTER)), ROUTER)
        assert ticket_spends(run, prompt_cache=True)[0]["kr-auto"] == spend_of(trace, ROUTER, plain)
