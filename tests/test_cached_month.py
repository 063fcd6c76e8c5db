"""A month with the provider's cache in it: reads less writes at the volume, in every figure, against values worked out apart."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from playground import tickets
from playground.bill import bills
from playground.bootstrap import mean_interval
from playground.expected_cost import expected_prefixes
from playground.forecast import Assumptions, Spend, break_even_tickets, month, year
from playground.knowledge import SAMPLES, sample_help_centre, sample_policies
from playground.log_forecast import log_forecast
from playground.log_pricing import PricedBatch, price_batch
from playground.logs import LogRead, preview, read_log
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.prices import cached_prefix
from playground.prompt_cache_note import NONE, OFF, said_of_month
from playground.prompt_caching import SECONDS_IN_MONTH, CachedPrefix
from playground.prompt_counts import prefix_tokens
from playground.records import PLANS, Attempt, Plan, Step, Trace
from playground.runtime import Runtime
from playground.ticket_month import spend_of
from playground.tornado import tornado
from playground.whatif import sweep
from playground.workshop import make_agent, make_router

FLOW = load_shipped("support")
ROUTER = make_router(FLOW)
A_THOUSAND = SECONDS_IN_MONTH / 1_000
"""Seconds between two tickets where a thousand come in a month: kept that long, a share of 1 / e of them writes."""
PREFIX = CachedPrefix("draft", "m", A_THOUSAND, D("0.10"), D("0.15"))
SPEND = Spend(D("0.40"), one_round=(D("0.9"), D("1.2")), prefixes=(PREFIX,))


def test_a_month_by_hand() -> None:
    a = Assumptions(1_000, 0.2, 1.5, 0.10, D(3), D(500), retry_share=0.25)
    m = month(SPEND, a)
    a_round = D("0.30") + D(repr(exp(-1))) * D("0.15")
    assert (m.models_usd, m.prompt_cache_usd) == (D(400), 1_000 * a_round - 400)
    assert m.one_round_usd == 1_000 * a_round
    assert (m.retries_usd, m.repeats_usd) == (250 * a_round, D("0.3") * 1_250 * a_round)
    assert m.tokens_usd == D("1.3") * 1_250 * a_round
    assert m.all_in_usd == m.tokens_usd + 500 + 300
    assert m.again_ticket_usd == a_round * D("1.25") * D("2.5")
    # A ticket with more of its own words costs more of these; the cache takes the same off every one.
    assert m.low_usd == pytest.approx(m.all_in_usd - D("0.1") * D("1.3") * 500, abs=D("1e-20"))
    assert m.high_usd == pytest.approx(m.all_in_usd + D("0.2") * D("1.3") * 500, abs=D("1e-20"))


def test_few_tickets_pay_for_writing_and_many_read() -> None:
    few, many = (month(SPEND, Assumptions(n)).prompt_cache_usd / n for n in (1, 10_000_000))
    assert (round(few, 2), round(many, 2)) == (D("0.05"), D("-0.10"))
    costs = [m.tokens_usd / n for n, m in year(SPEND, Assumptions(1_000, growth_share=0.5))]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]


def test_what_moves_the_month_moves_it_with_the_cache() -> None:
    a = Assumptions(1_000, human_cost_usd=D(0))
    swing = next(s for s in tornado(SPEND, a) if s.name == "Tickets a month")
    assert (swing.low_usd, swing.high_usd) == tuple(
        month(SPEND, replace(a, tickets_per_month=n)).all_in_usd for n in (800, 1_200)
    )


@given(
    st.decimals("0.01", "3", places=3),
    st.decimals("0", "1", places=3),
    st.decimals("0", "3", places=3),
    st.integers(1, 3_000),
    st.decimals("0", "60", places=1),
    st.decimals("0", "3", places=2),
)
def test_break_even_is_the_volume_from_which_it_pays_for_good(
    rest: D, read: D, extra: D, kept: int, fixed: D, person: D
) -> None:
    """Against every volume up to 3,000, with writes that may cost more than a person."""
    prefix = CachedPrefix("draft", "m", SECONDS_IN_MONTH / kept, read, extra)
    spend = Spend(rest + read, prefixes=(prefix,))
    a = Assumptions(again_share=0, retry_share=0, escalation_share=0, human_cost_usd=person, fixed_cost_usd=fixed)
    found = break_even_tickets(spend, a)
    if found is None:
        assert person <= rest
        return

    def loses(n: int) -> bool:
        return n * spend.cached_usd(n) + fixed > n * person

    assert not loses(found)
    assert found == 0 or loses(found - 1)
    slow_to_halve = [n for n in range(found, min(found + 3_000, 20_000)) if loses(n)]
    assert not slow_to_halve


def sample() -> PricedBatch:
    path = SAMPLES / "log.csv"
    (batch,) = read_log(path, preview(path).guess, LogRead())
    return price_batch(batch, ROUTER, sample_help_centre(), sample_policies())


BATCH = sample()


def test_a_log_s_prefixes_are_those_of_its_prompts_at_the_prices_of_its_models() -> None:
    found = log_forecast(BATCH)
    assert found is not None
    for plan in ("before", "stratified"):
        by_stage = {p.stage: p for p in found.spends[plan].prefixes}
        for stage in FLOW.stages:
            model = ROUTER.named(stage.before if plan == "before" else FLOW.tiers[stage.tier]).model
            length = cached_prefix(model, prefix_tokens(stage, FLOW, sample_policies()))
            assert (stage.key in by_stage) == bool(length)
            if length:
                rates = model.price.rates  # type: ignore[union-attr]
                each = rates.input_usd_per_mtok - rates.cache_read_usd_per_mtok  # type: ignore[operator]
                assert by_stage[stage.key].read_usd == stage.calls * length * each / 1_000_000
                assert by_stage[stage.key].share == 1
    assert found.assured["estimated"].prefixes == found.spends["kr-auto"].prefixes
    assert found.assured["proven"].prefixes == found.spends["before"].prefixes
    off = found.without_prompt_cache()
    assert {s.prefixes for s in (*off.spends.values(), *off.assured.values())} == {()}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("own_rounds", [True, False])
@pytest.mark.parametrize("n", [300, 3_000, 10_000_000])
def test_the_range_of_a_month_is_that_of_what_is_left_to_pay(plan: Plan, own_rounds: bool, n: int) -> None:
    """Each ticket's own cost at the volume is worked out, and its mean bounded directly."""
    found = log_forecast(BATCH)
    assert found is not None
    m = month(found.spends[plan], Assumptions(n, human_cost_usd=D(0), own_rounds=own_rounds))
    rounds = BATCH.rounds if own_rounds else np.ones(600)
    cluster = np.unique(BATCH.customers, return_inverse=True)[1]
    totals = np.bincount(cluster, weights=rounds * costs_at(plan, n))
    (direct,) = mean_interval(totals[:, None], np.bincount(cluster))
    assert float(m.low_usd or 0) / float(m.tokens_usd) == pytest.approx(direct.low / direct.estimate, abs=0.005)
    assert float(m.high_usd or 0) / float(m.tokens_usd) == pytest.approx(direct.high / direct.estimate, abs=0.005)


def costs_at(plan: Plan, n: int) -> NDArray[np.float64]:
    """One round of every ticket of the log in USD, its fixed parts read and written as a month of n keeps them."""
    found = BATCH.ticket_costs(plan) / 1e12
    stages = {s.key: s for s in FLOW.stages}
    for p in BATCH.cached_prefixes(plan):
        takes = np.ones(600, np.bool_)
        if plan == "kr-auto":
            takes = BATCH.cached[:, list(stages).index(p.stage)] > 0
        found = found - takes * float(p.saved_usd(n)) / takes.mean()
    return found


def test_what_one_run_found_in_the_cache_says_nothing_of_a_month() -> None:
    """The same run, metered cold and metered warm, makes the same month."""
    trace = run_all(make_agent(ROUTER), next(iter(tickets.samples().values())), "kr-auto")
    cold, warm = (spend_of(t, ROUTER, bills(t, ROUTER)["kr-auto"]) for t in (trace, warmed(trace)))
    assert bills(warmed(trace), ROUTER)["kr-auto"].total.known_usd < bills(trace, ROUTER)["kr-auto"].total.known_usd
    assert cold == warm
    assert cold.prefixes


def warmed(trace: Trace) -> Trace:
    return replace(trace, steps=tuple(map(_warm_step, trace.steps)))


def _warm_step(step: Step) -> Step:
    return replace(step, attempts=tuple(map(_warm, step.attempts)))


def _warm(attempt: Attempt) -> Attempt:
    """As a provider meters it that had all of the prompt but 10 tokens."""
    receipt, rates = attempt.receipt, attempt.candidate.model.price.rates  # type: ignore[union-attr]
    if rates.cache_read_usd_per_mtok is None:
        return attempt
    read = receipt.usage.input_tokens - 10
    saved = read * (rates.input_usd_per_mtok - rates.cache_read_usd_per_mtok) / 1_000_000  # type: ignore[operator]
    usage = replace(receipt.usage, cache_read_tokens=read)
    return replace(attempt, receipt=replace(receipt, usage=usage, cost_usd=receipt.cost_usd - saved))


def test_where_it_is_off_no_plan_counts_it() -> None:
    trace = run_all(make_agent(ROUTER), next(iter(tickets.samples().values())), "kr-auto")
    plans = bills(trace, ROUTER)
    assert {spend_of(trace, ROUTER, plans[plan], prompt_cache=False).prefixes for plan in PLANS} == {()}
    off = make_router(replace(FLOW, runtime=Runtime(prompt_cache=False)))
    for on, point in zip(sweep(trace, ROUTER, [0.9]), sweep(trace, off, [0.9]), strict=True):
        plain = point.month_usd(100_000)
        assert plain == 100_000 * point.spend.one_round_usd  # type: ignore[union-attr]
        assert on.month_usd(100_000) < plain  # type: ignore[operator]


def test_what_is_said_of_it_goes_by_the_volume() -> None:
    spends = {"before": Spend(D(1)), "kr-auto": SPEND}
    assert said_of_month(spends, 1_000, is_on=False) == OFF
    assert said_of_month({plan: Spend(D(1)) for plan in PLANS}, 1_000, is_on=True) == NONE
    few, many = (said_of_month(spends, n, is_on=True) for n in (100, 100_000))
    assert (
        "at 100 tickets a month, spread at random around the clock, it changes nothing for today's models, whose caches"
        in few
    )
    assert few.endswith("up to 90% come too late there and write anew.")
    assert "it takes $10,000 off kr-auto's models" in many
    assert "no price; it adds $3.57 to kr-auto's models" in few


def test_few_tickets_of_a_rare_model_are_not_said_to_be_a_stage_s() -> None:
    """A hundredth of the drafts goes to a model that always writes; 89% of that hundredth is no share of the stage's calls."""
    rare = CachedPrefix("draft", "rare", A_THOUSAND, D("0.001"), D("0.001"), 0.01)
    spends = {"kr-auto": Spend(D(1), prefixes=(replace(PREFIX, share=0.99), rare))}
    said = said_of_month(spends, 10_000, is_on=True)
    assert said.endswith("up to 1% come too late there and write anew.")


def test_which_tickets_came_moves_the_month_within_its_range() -> None:
    found = log_forecast(BATCH)
    assert found is not None
    for own_rounds in (True, False):
        a = Assumptions(100_000, own_rounds=own_rounds)
        m = month(found.spends["kr-auto"], a)
        swing = next(s for s in tornado(found.spends["kr-auto"], a) if s.name == "Which tickets came")
        assert (swing.low_usd, swing.high_usd) == (m.low_usd, m.high_usd)
        assert swing.low < f"${m.tokens_usd / 100_000:,.4f}" < swing.high


@pytest.mark.parametrize("n", [500, 100_000])
def test_rounds_count_what_each_ticket_costs_with_the_cache(n: int) -> None:
    """Each ticket's own rounds of its own cost at the volume, added up one by one."""
    found = log_forecast(BATCH)
    assert found is not None
    for plan in PLANS:
        m = month(found.spends[plan], Assumptions(n, retry_share=0))
        one_by_one = float((costs_at(plan, n) * BATCH.rounds).mean()) * n
        assert float(m.tokens_usd) == pytest.approx(one_by_one, rel=2e-4)


def test_what_a_ticket_should_cost_has_its_prefixes() -> None:
    ticket = next(iter(tickets.samples().values()))
    agent = make_agent(ROUTER)
    trace = run_all(agent, ticket, "kr-auto")
    ran = spend_of(trace, ROUTER, bills(trace, ROUTER)["stratified"]).prefixes
    expected = expected_prefixes(ROUTER, agent.help_centre, agent.policies, ticket, "stratified")
    assert {(p.stage, p.model, p.read_usd) for p in expected} == {(p.stage, p.model, p.read_usd) for p in ran}
