"""The bill of what ran, and of what did not, against hand-worked sums."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from playground.bill import bills
from playground.catalog import load_catalog
from playground.errors import CallFailed
from playground.levers import levers
from playground.loop import run_all
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.records import Completion, Model, Request, Usage
from playground.ticket_prefixes import cache_saving_usd
from playground.watch import Watch
from playground.workshop import make_router
from tests.scripted import TICKET, Scripted, good, make

D = Decimal


@pytest.fixture(scope="module")
def ran():  # type: ignore[no-untyped-def]
    agent = make(Scripted(output_tokens=100))
    trace = run_all(agent, TICKET, "kr-auto")
    return agent, trace, bills(trace, agent.router)


def test_the_plan_that_ran_is_billed_from_its_receipts(ran) -> None:  # type: ignore[no-untyped-def]
    _, trace, plans = ran
    assert plans["kr-auto"].ran
    assert not plans["before"].ran
    assert plans["kr-auto"].total.known_usd == sum(r.cost_usd for r in trace.receipts)


def test_before_is_priced_on_the_same_prompts_and_output_lengths(ran) -> None:  # type: ignore[no-untyped-def]
    _, trace, plans = ran
    line = next(li for li in plans["before"].lines if li.stage == "draft")
    prompt = trace.step("draft").prompts[0]
    assert (line.model, line.usage.input_tokens, line.usage.output_tokens) == (
        "claude-opus-4-5",
        prompt.input_tokens,
        100,
    )
    assert line.cost_usd == (prompt.input_tokens * D(5) + 100 * D(25)) / 1_000_000


def test_stage_totals_add_up_to_the_total(ran) -> None:  # type: ignore[no-untyped-def]
    _, trace, plans = ran
    for bill in plans.values():
        assert sum(bill.stage_total(s.stage).known_usd for s in trace.steps) == bill.total.known_usd


def test_levers_add_up_exactly(ran) -> None:  # type: ignore[no-untyped-def]
    agent, trace, plans = ran
    found = levers(trace, agent.router, plans)
    level = found[0].usd
    for lever in found[1:]:
        if lever.is_level:
            assert lever.usd == level
        else:
            level += lever.usd
    by_name = {lever.name: lever.usd for lever in found}
    assert by_name["Before"] == plans["before"].total.known_usd
    assert by_name["kr-auto"] == plans["kr-auto"].total.known_usd


def test_failed_attempts_are_their_own_lever() -> None:
    seen: list[Request] = []

    def answer(request: Request) -> str | Exception:
        if request.prompt.stage == "draft":
            seen.append(request)
            if len(seen) == 1:
                return CallFailed("cut_stream", "Broke off.", Completion("x", Usage(1000, 50), "live"))
        return good(request)

    agent = make(Scripted(answer))
    trace = run_all(agent, TICKET, "kr-auto")
    plans = bills(trace, agent.router)
    failed = plans["kr-auto"].failed.known_usd
    assert failed == trace.step("draft").receipts[0].cost_usd > 0  # type: ignore[union-attr,operator]
    by_name = {lever.name: lever.usd for lever in levers(trace, agent.router, plans)}
    assert by_name["Retries"] == failed
    assert by_name["kr-auto, all in"] == plans["kr-auto"].total.known_usd


def test_caching_saves_only_on_prefixes_long_enough_for_the_model(ran) -> None:  # type: ignore[no-untyped-def]
    agent, trace, plans = ran
    # The scripted policies are a few words, so no prompt has a fixed part of 1,024 tokens.
    assert max(p.prefix_tokens for s in trace.steps for p in s.prompts) < 1_024
    assert cache_saving_usd(trace, agent.router, plans["kr-auto"]) == 0


def test_a_stopped_run_is_billed_for_what_ran() -> None:
    agent = make(Scripted(lambda r: "bad" if r.prompt.stage == "check" else good(r)))
    trace = run_all(agent, TICKET, "kr-auto")
    plans = bills(trace, agent.router)
    assert {li.stage for li in plans["before"].lines} == {"intent", "rerank", "draft", "check"}
    assert plans["kr-auto"].failed.known_usd > 0


def metered(request: Request, thinking: int, cached: int) -> Usage:
    return Usage(request.prompt.input_tokens, 100 + thinking, cached, 0, thinking, "provider")


@pytest.mark.parametrize(("thinking", "cached"), [(0, 0), (100, 0), (0, 50), (100, 50)])
def test_a_plan_on_the_same_models_costs_the_same(thinking: int, cached: int) -> None:
    class Metered(Scripted):
        def __call__(self, request: Request, watch: Watch) -> Completion:
            done = super().__call__(request, watch)
            return replace(done, usage=metered(request, thinking, cached))

    flow = load_shipped("support")
    flow = replace(flow, stages=tuple(replace(s, before="claude-opus-5") for s in flow.stages))
    agent = make(Metered(), flow, Settings(pins={s.key: "claude-opus-5" for s in flow.stages}))
    trace = run_all(agent, TICKET, "kr-auto")
    plans = bills(trace, agent.router)
    assert plans["before"].total == plans["kr-auto"].total
    found = {lever.name: lever.usd for lever in levers(trace, agent.router, plans)}
    assert found["Routing"] == 0
    assert found["kr-auto, cached"] == plans["kr-auto"].total.known_usd - (
        0 if cached else cache_saving_usd(trace, agent.router, plans["kr-auto"])
    )


def test_levers_hold_nothing_where_a_call_has_no_price() -> None:
    flow = load_shipped("support")
    own = Model("openai/own", "own", "Own", None, None, None)
    router = make_router(flow, Settings(pins={"draft": "own"}), load_catalog().with_model(own))
    agent = replace(make(), router=router)
    trace = run_all(agent, TICKET, "kr-auto")
    plans = bills(trace, router)
    assert plans["kr-auto"].total.exact_usd is None
    assert levers(trace, router, plans) == ()
