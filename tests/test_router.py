"""Decisions: cheapest that clears the bar, a reason for every candidate, and what happens when nothing does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.catalog import Catalog, load_catalog
from playground.difficulty import HIGHEST_BAR, raised
from playground.errors import BadModel
from playground.evidence_file import OwnEvidence
from playground.options import PREFERENCE, Settings
from playground.pipeline import load_shipped
from playground.proofs import counting, prompt_digest
from playground.records import PLANS, Bar, Considered, Cue, Decision, Model, Pairs, Price, Prompt, Proof, Rates
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
        ({}, "claude-opus-5-5", "no_evidence", "insufficient evidence: needs about 198 shadow pairs"),
        ({}, "gpt-4o-mini", "below_bar", "below the bar by 0.31 (0.59 against 0.90)"),
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


def measured(stage: str, key: str, accepted: float, pairs: int) -> OwnEvidence:
    return OwnEvidence(pairs={(stage, key): Pairs(accepted, pairs)})


def option_of(decision: Decision, key: str) -> Considered:
    return next(o for o in decision.considered if o.candidate.key == key)


def own_router(own: OwnEvidence, **rules: object) -> Router:
    return make_router(FLOW, Settings(today=TODAY, **rules), own=own)  # type: ignore[arg-type]


def test_two_hundred_shadow_pairs_outweigh_the_benchmarks() -> None:
    good = own_router(measured("draft", "gpt-4.1-mini", 196, 200)).decide(DRAFT, prompts(), "kr-auto")
    assert good.chosen.key == "gpt-4.1-mini"
    assert option_of(good, "gpt-4.1-mini").quality.worth == pytest.approx(220, abs=5)
    bad = own_router(measured("draft", good.chosen.key, 120, 200)).decide(DRAFT, prompts(), "kr-auto")
    assert option_of(bad, good.chosen.key).code == "below_bar"


def test_with_pairs_it_must_be_sure_to_clear_the_bar() -> None:
    decision = own_router(measured("draft", "qwen3.8-max", 73, 80)).decide(DRAFT, prompts(), "kr-auto")
    found = option_of(decision, "qwen3.8-max")
    assert found.quality.estimate >= 0.90  # type: ignore[operator]
    assert found.code == "no_evidence"
    assert "sure to clear 0.90 after 80 pairs; 85% is needed" in found.reason


def proof(**changes: object) -> Proof:
    base = {
        "stage": "draft", "candidate": "gpt-4.1-mini", "model_id": load_catalog().by_name("gpt-4.1-mini").id, "pipeline": "support",
        "version": "1", "prompt_digest": prompt_digest(FLOW, DRAFT), "pairs": 2_000, "decided_on": TODAY, "provenance": "live",
    }  # fmt: skip
    return Proof(**(base | changes))  # type: ignore[arg-type]


def test_proven_uses_only_what_a_verdict_holds_for() -> None:
    without = own_router(OwnEvidence(), assurance="proven").decide(DRAFT, prompts(), "kr-auto")
    assert without.chosen.key == DRAFT.before
    having = own_router(OwnEvidence(proofs=(proof(),)), assurance="proven").decide(DRAFT, prompts(), "kr-auto")
    assert having.chosen.key == "gpt-4.1-mini"
    assert option_of(having, "gpt-4.1-mini").quality.proven


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"prompt_digest": "0" * 16}, "the prompt has changed since"),
        ({"model_id": "gpt-4.1-mini-2027-01-01"}, "the model is now"),
        ({"version": "0"}, "version 0 of the agent"),
        ({"margin": 0.05}, "it was for a margin of 5.0%, and the margin is now 2.0%"),
        ({"current": "gpt-5.4-nano"}, "it was against gpt-5.4-nano, and the stage runs on claude-opus-4-5"),
        ({"verdict": "KEEP"}, f"its verdict of {TODAY} is KEEP"),
    ],
)
def test_a_verdict_for_something_else_is_void_and_says_so(changes: dict[str, object], why: str) -> None:
    own = OwnEvidence(proofs=(proof(**changes),))
    decision = own_router(own, assurance="proven").decide(DRAFT, prompts(), "kr-auto")
    assert decision.chosen.key == DRAFT.before
    assert why in option_of(decision, "gpt-4.1-mini").reason


def test_the_latest_verdict_that_holds_counts() -> None:
    cut, keep = proof(), proof(verdict="KEEP")
    for own, proven in (((cut, keep), False), ((keep, cut), True), ((cut, proof(verdict="KEEP", version="0")), True)):
        decision = own_router(OwnEvidence(proofs=own), assurance="proven").decide(DRAFT, prompts(), "kr-auto")
        assert (decision.chosen.key == "gpt-4.1-mini") == proven


def test_a_verdict_from_rehearsal_proves_nothing_live() -> None:
    rehearsed = (proof(provenance="rehearsal"),)
    assert counting(rehearsed, "live") == ()
    assert counting(rehearsed, "rehearsal") == rehearsed


def test_a_preferred_provider_wins_when_it_costs_little_more_and_says_so() -> None:
    price = Price(Rates(Decimal(1), Decimal(1)), TODAY, "mine")
    dearer = Price(Rates(Decimal("1.05"), Decimal("1.05")), TODAY, "mine")
    catalog = Catalog(
        (
            *(m for m in load_catalog().models if m.name == DRAFT.before or m.name in FLOW.tiers.values()),
            Model("a/x", "x", "A", price, 100_000, 10_000),
            Model("b/y", "y", "B", dearer, 100_000, 10_000),
        )
    )
    own = OwnEvidence(pairs={("draft", name): Pairs(499, 500) for name in "xy"})
    for liked, winner in ((frozenset(), "x"), (frozenset({"B"}), "y"), (frozenset({"A"}), "x")):
        decision = make_router(FLOW, Settings(today=TODAY, preferred=liked), catalog, own).decide(
            DRAFT, prompts(), "kr-auto"
        )
        assert decision.chosen.key == winner
        assert ("you prefer B: +5% against x" in decision.reason) == (winner == "y")


def test_a_preferred_provider_that_costs_much_more_does_not_win() -> None:
    for provider in load_catalog().providers:
        liked = router(preferred=frozenset({provider})).decide(DRAFT, prompts(), "kr-auto")
        free = router().decide(DRAFT, prompts(), "kr-auto")
        cost, least = (option_of(d, d.chosen.key).expected_cost_usd for d in (liked, free))
        assert cost <= least * (1 + PREFERENCE)  # type: ignore[operator]


def test_efforts_can_be_limited() -> None:
    decision = router(efforts=frozenset({"none", "low"})).decide(DRAFT, prompts(), "kr-auto")
    model, effort = decision.chosen.model, decision.chosen.effort
    assert (model.default_effort if effort == "default" else effort) in ("none", "low")


def test_a_budget_is_hard_for_the_current_model_too() -> None:
    tight = router(call_budget_usd=Decimal("0.0000001"))
    for plan in PLANS:
        decision = tight.decide(DRAFT, prompts(), plan)
        assert decision.code == "over_budget"
        assert not runnable(decision)


def test_what_is_left_of_a_tickets_budget_limits_the_choice_and_the_climb() -> None:
    rich = router(ticket_budget_usd=Decimal(1)).decide(DRAFT, prompts(), "kr-auto", spent_usd=Decimal("0.5"))
    assert rich.code == "chosen"
    own = option_of(rich, rich.chosen.key).cost_usd
    assert own is not None
    tight = router(ticket_budget_usd=Decimal(1)).decide(DRAFT, prompts(), "kr-auto", spent_usd=1 - own)
    assert [c.key for c in tight.ladder] == [rich.chosen.key], "a climb would have to be paid on top"
    assert len(rich.ladder) == 2
    broke = router(ticket_budget_usd=Decimal(1)).decide(DRAFT, prompts(), "kr-auto", spent_usd=Decimal(1))
    assert not runnable(broke)
    assert "is left of the ticket's budget" in broke.reason


def test_a_hard_ticket_raises_the_bar_and_says_why_and_can_be_told_not_to() -> None:
    hard = (Cue("anger", "is angry", 0.01, ("draft",)), Cue("legal", "speaks of legal steps", 0.02, ("check",)))
    decision = router().decide(DRAFT, prompts(), "kr-auto", hard)
    assert decision.bar == Bar(round(DRAFT.bar + 0.01, 3), DRAFT.bar, ("is angry",))
    assert decision.cues == hard
    assert router(raise_bars=False).decide(DRAFT, prompts(), "kr-auto", hard).bar.value == DRAFT.bar


@given(base=st.floats(0, 1), raises=st.lists(st.floats(0, 0.5), max_size=6))
def test_no_cue_ever_lowers_a_bar(base: float, raises: list[float]) -> None:
    bar = raised(base, "draft", [Cue("x", "x", r, ("draft",)) for r in raises])
    assert base <= bar.value <= max(base, HIGHEST_BAR)


def test_an_empty_provider_list_says_so_and_runs_nothing() -> None:
    decision = router(providers=frozenset()).decide(DRAFT, prompts(), "kr-auto")
    assert not runnable(decision)
    assert "not among the providers you allow" in decision.reason


def test_a_bar_that_nothing_clears_stays_on_the_current_model() -> None:
    decision = router(bars={"draft": 1.0}).decide(DRAFT, prompts(), "kr-auto")
    assert decision.chosen.key == DRAFT.before


def test_pairs_that_contradict_a_verdict_put_it_on_hold() -> None:
    own = OwnEvidence(pairs={("draft", "gpt-4.1-mini"): Pairs(20, 400)}, proofs=(proof(),))
    decision = own_router(own, assurance="proven").decide(DRAFT, prompts(), "kr-auto")
    assert decision.chosen.key == DRAFT.before
    found = option_of(decision, "gpt-4.1-mini")
    assert not found.quality.proven
    assert "on hold, because your pairs put it at 0.0" in found.reason


def test_the_flip_speaks_of_the_bar_that_is_set_and_what_the_ticket_makes_of_it() -> None:
    hard = (Cue("anger", "is angry", 0.02, ("draft",)),)
    plain, raised_one = (router().decide(DRAFT, prompts(), "kr-auto", cues) for cues in ((), hard))
    assert "which this ticket raises to" not in plain.flip
    assert "which this ticket raises to" in raised_one.flip
    at = float(raised_one.flip.split("at a bar of ")[1].split(" ")[0])
    moved = router(bars={"draft": at}).decide(DRAFT, prompts(), "kr-auto", hard)
    assert raised_one.flip.startswith(moved.chosen.key)
