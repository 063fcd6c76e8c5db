"""Decisions: cheapest that clears the bar, a reason for every candidate, and what happens when nothing does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from playground.catalog import load_catalog
from playground.errors import BadModel
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.records import Model, Price, Prompt, Rates
from playground.router import Router, runnable
from playground.workshop import make_router

FLOW = load_shipped("support")
TODAY = date(2026, 11, 24)
DRAFT = FLOW.stage("draft")


def prompts(tokens: int = 4200, calls: int = 1) -> tuple[Prompt, ...]:
    return tuple(Prompt("draft", i + 1, (), tokens, 0) for i in range(calls))


def router(**rules: object) -> Router:
    return make_router(FLOW, Settings(today=TODAY, **rules))  # type: ignore[arg-type]


@pytest.mark.parametrize("stage", FLOW.stages, ids=lambda s: s.key)
def test_nothing_cheaper_clears_the_bar_than_the_one_chosen(stage) -> None:  # type: ignore[no-untyped-def]
    decision = router().decide(stage, prompts(calls=stage.calls), "kr-auto")
    chosen = next(o for o in decision.considered if o.code == "chosen")
    for option in decision.considered:
        if option.passes and option is not chosen:
            assert option.expected_cost_usd >= chosen.expected_cost_usd  # type: ignore[operator]
    if chosen.candidate.key != stage.before:
        assert chosen.quality.estimate >= stage.bar  # type: ignore[operator]


def test_every_candidate_has_one_reason() -> None:
    decision = router().decide(DRAFT, prompts(), "kr-auto")
    assert len(decision.considered) == len({o.candidate.key for o in decision.considered}) >= 130
    assert all(o.reason for o in decision.considered)


def test_a_higher_bar_never_picks_a_cheaper_candidate() -> None:
    costs = []
    for bar in (0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0):
        decision = router(bars={"draft": bar}).decide(DRAFT, prompts(), "kr-auto")
        costs.append(next(o.expected_cost_usd for o in decision.considered if o.code in ("chosen", "before")))
    assert costs == sorted(costs)  # type: ignore[type-var]


def test_the_flip_condition_is_true() -> None:
    decision = router().decide(FLOW.stage("respond"), prompts(), "kr-auto")
    name, bar = decision.flip.split(" would win at a bar of ")
    flipped = router(bars={"respond": float(bar.split()[0])}).decide(FLOW.stage("respond"), prompts(), "kr-auto")
    assert flipped.chosen.key == name


def test_a_bar_that_nothing_clears_keeps_the_current_model_and_says_so() -> None:
    decision = router(bars={"draft": 1.0}).decide(DRAFT, prompts(), "kr-auto")
    assert decision.chosen.key == DRAFT.before
    assert "nothing cheaper clears 1.00" in decision.reason
    assert "need evidence" in decision.reason


def test_proven_keeps_the_current_model_until_something_is_proven() -> None:
    decision = router(assurance="proven").decide(DRAFT, prompts(), "kr-auto")
    assert decision.chosen.key == DRAFT.before
    assert any("not proven" in o.reason for o in decision.considered)


def test_a_provider_that_is_off_is_never_picked() -> None:
    decision = router(providers=frozenset({"OpenAI"})).decide(DRAFT, prompts(), "kr-auto")
    assert decision.chosen.model.provider == "OpenAI"
    assert all(o.code == "provider_off" for o in decision.considered if o.candidate.model.provider != "OpenAI")


def test_no_provider_that_can_run_is_said_and_not_run() -> None:
    decision = router(providers=frozenset({"Nobody"})).decide(DRAFT, prompts(), "kr-auto")
    assert not runnable(decision)
    assert "Anthropic is not among the providers you allow" in decision.reason


def test_a_plan_whose_model_is_off_is_not_run_in_silence() -> None:
    decision = router(providers=frozenset({"OpenAI"})).decide(DRAFT, prompts(), "before")
    assert not runnable(decision)
    assert decision.chosen.key == "claude-opus-4-5"


@pytest.mark.parametrize(
    ("rules", "name", "code", "words"),
    [
        ({}, "gpt-4.1-nano", "retired", "retired on 2026-10-23"),
        ({"min_days_to_retirement": 30}, "gpt-5", "retired", "retires on 2026-12-11"),
        ({"never": frozenset({"deepseek-v3.2"})}, "deepseek-v3.2", "never", "you chose never to use it"),
        ({"call_budget_usd": Decimal("0.001")}, "gpt-5.5", "over_budget", "over your limit of $0.0010"),
        ({}, "claude-opus-5-5", "no_evidence", "insufficient evidence: needs about 200 shadow pairs"),
        ({}, "gpt-4o-mini", "below_bar", "is below the bar of 0.90"),
        ({}, "claude-sonnet-4-6", "dearer", "dearer by $"),
    ],
)
def test_reasons(rules: dict[str, object], name: str, code: str, words: str) -> None:
    decision = router(**rules).decide(DRAFT, prompts(), "kr-auto")
    option = next(o for o in decision.considered if o.candidate.key == name)
    assert option.code == code
    assert words in option.reason


def test_a_prompt_that_is_too_long_for_some_goes_to_one_it_fits() -> None:
    decision = router().decide(DRAFT, prompts(300_000), "kr-auto")
    assert decision.chosen.model.context_tokens > 302_000  # type: ignore[operator]
    assert next(o for o in decision.considered if o.candidate.key == "claude-opus-4-5").code == "too_long"


def test_a_prompt_that_fits_nothing_is_said_and_not_run() -> None:
    decision = router().decide(DRAFT, prompts(3_000_000), "kr-auto")
    assert not runnable(decision)
    assert decision.reason == "the prompt fits no allowed model's context"


def test_a_model_without_a_price_is_never_the_cheapest() -> None:
    free = Model("openai/mystery", "mystery", "Mystery", None, 100_000, 10_000)
    unpriced = make_router(FLOW, Settings(today=TODAY), load_catalog().with_model(free)).decide(
        DRAFT, prompts(), "kr-auto"
    )
    option = next(o for o in unpriced.considered if o.candidate.key == "mystery")
    assert (option.code, option.cost_usd) == ("unpriced", None)
    assert unpriced.considered[-1] is option


def test_a_local_model_at_zero_is_priced_but_needs_evidence() -> None:
    zero = Price(Rates(Decimal(0), Decimal(0)), TODAY, "your hardware")
    own = Model("openai/llama", "llama (local)", "Ollama", zero, None, None)
    decision = make_router(FLOW, Settings(today=TODAY), load_catalog().with_model(own)).decide(
        DRAFT, prompts(), "kr-auto"
    )
    option = next(o for o in decision.considered if o.candidate.key == "llama (local)")
    assert (option.code, option.cost_usd) == ("no_evidence", Decimal(0))


def test_the_ladder_climbs_to_another_model_that_is_no_worse() -> None:
    decision = router().decide(DRAFT, prompts(), "kr-auto")
    first, second = decision.ladder
    assert first.model != second.model
    quality = {o.candidate.key: o.quality.estimate for o in decision.considered}
    assert quality[second.key] >= quality[first.key]  # type: ignore[operator]
    assert decision.fallback == second


@pytest.mark.parametrize("pin", ["nothing", "gpt-4.1 @max"])
def test_a_pin_that_does_not_exist_is_refused(pin: str) -> None:
    with pytest.raises(BadModel):
        router(pins={"draft": pin}).decide(DRAFT, prompts(), "kr-auto")


def test_an_unknown_tier_model_is_refused() -> None:
    flow = replace(FLOW, tiers={**FLOW.tiers, "cheap": "nothing"})
    with pytest.raises(BadModel, match="nothing"):
        make_router(flow).decide(flow.stage("intent"), prompts(), "stratified")


def test_the_stage_cost_counts_every_call_and_its_thinking() -> None:
    three = router().decide(FLOW.stage("rerank"), prompts(1800, 3), "before")
    own = next(o for o in three.considered if o.code == "before")
    # claude-sonnet-4-6: 3 calls of 1,800 in at 3 USD and 80 out at 15 USD per million
    assert own.cost_usd == 3 * (Decimal("0.0054") + Decimal("0.0012"))


@pytest.mark.parametrize("plan", ["before", "stratified", "kr-auto"])
@pytest.mark.parametrize("provider", ["Google", "Amazon", "OpenAI"])
def test_no_ladder_climbs_to_a_provider_that_is_off(plan: str, provider: str) -> None:
    for stage in FLOW.stages:
        decision = router(providers=frozenset({provider})).decide(stage, prompts(calls=stage.calls), plan)  # type: ignore[arg-type]
        assert all(c.model.provider == provider for c in decision.ladder[1:])


def test_a_model_with_half_a_price_is_unpriced() -> None:
    half = Model("openai/half", "half", "Own", Price(Rates(Decimal(1), None), TODAY, "user"), None, None)
    decision = make_router(FLOW, Settings(today=TODAY), load_catalog().with_model(half)).decide(
        DRAFT, prompts(), "kr-auto"
    )
    assert next(o.code for o in decision.considered if o.candidate.key == "half") == "unpriced"
