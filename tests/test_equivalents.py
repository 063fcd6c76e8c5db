"""Who may answer in whose place: lists that are wrong, the order, and the rule for each stand-in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.equivalents import Permission, Ruling, check_equivalents, in_order, router_rules
from playground.errors import BadInput
from playground.local import endpoint_models
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.records import Candidate, Context, Model, Passage, Prompt, Request, Ticket
from playground.router import Router
from playground.workshop import make_router

FLOW = load_shipped("support")
ROUTER = make_router(FLOW)
CALM = Ticket("t", "Where is my parcel")


def request(stage: str, name: str, router: Router = ROUTER, ticket: Ticket = CALM, tokens: int = 1000) -> Request:
    s = router.pipeline.stage(stage)
    prompt, context = Prompt(stage, 1, (), tokens, 100), Context(ticket, {}, ())
    return Request(router.named(name), prompt, s.output, s.max_output_tokens, s.typical_output_tokens, context)


def ruling(
    stage: str, own: str, other: str, permission: Permission | None = None, router: Router = ROUTER, **more: object
) -> Ruling:
    return router_rules(router, permission)(request(stage, own, router, **more), router.named(other))  # type: ignore[arg-type]


# The list


def names(candidates: tuple[Candidate, ...]) -> list[str]:
    return [c.key for c in candidates]


def check(listed: dict[str, list[str]]) -> dict[str, list[str]]:
    return {key: names(others) for key, others in check_equivalents(listed, ROUTER.named).items()}


def test_names_are_looked_up_as_elsewhere() -> None:
    listed = {"openai/gpt-5.4": ["anthropic/claude-haiku-4-5", "gpt-5.4-mini"]}
    assert check(listed) == {"gpt-5.4": ["claude-haiku-4-5", "gpt-5.4-mini"]}


def test_a_shared_stand_in_is_no_circle() -> None:
    check({"gpt-5.4": ["gpt-5.4-mini", "claude-haiku-4-5"], "gpt-5.4-mini": ["claude-haiku-4-5"]})


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ({"gpt-5.4": ["gpt-5.4"]}, "gpt-5.4 is listed in its own place. Take it off the list."),
        ({"gpt-5.4": ["openai/gpt-5.4"]}, "gpt-5.4 is listed in its own place"),
        ({"gpt-5.4": ["grok-4.5"], "grok-4.5": ["gpt-5.4"]}, "gpt-5.4 -> grok-4.5 -> gpt-5.4 is a circle"),
        (
            {"gpt-5.4": ["grok-4.5"], "grok-4.5": ["qwen3-max"], "qwen3-max": ["gpt-5.4"]},
            "gpt-5.4 -> grok-4.5 -> qwen3-max -> gpt-5.4 is a circle",
        ),
        ({"gpt-5.4": ["gpt-5.4-minni"]}, "has no model 'gpt-5.4-minni'. Did you mean gpt-5.4-mini"),
        ({"gpt-9": ["gpt-5.4"]}, "has no model 'gpt-9'"),
        ({"gpt-5.4": ["grok-4.5", "grok-4.5"]}, "grok-4.5 stands twice in the list of gpt-5.4"),
        ({"gpt-5.4": ["grok-4.5"], "openai/gpt-5.4": ["qwen3-max"]}, "gpt-5.4 has two lists"),
        ({"gpt-5.4": ["gpt-5.4 @xhigh"], "grok-4.5": ["gpt-5.4 @absurd"]}, "gpt-5.4 @absurd is not offered"),
    ],
)
def test_a_wrong_list_is_refused_in_one_sentence_that_names_it(listed: dict[str, list[str]], words: str) -> None:
    with pytest.raises(BadInput) as refused:
        check(listed)
    assert words in str(refused.value)
    assert str(refused.value).startswith("Equivalents: ")


def test_a_circle_by_way_of_an_effort_is_found() -> None:
    effort = next(c.key for c in ROUTER.candidates if c.model.name == "gpt-5.4" and c.effort != "default")
    with pytest.raises(BadInput, match="is a circle"):
        check({"gpt-5.4": ["grok-4.5"], "grok-4.5": [effort]})


def test_the_order_is_a_list_then_the_lists_of_those_on_it() -> None:
    found = check_equivalents(
        {"gpt-5.4": ["grok-4.5", "qwen3-max"], "grok-4.5": ["qwen3-max", "nova-pro"], "qwen3-max": ["gpt-5.4-mini"]},
        ROUTER.named,
    )
    assert names(in_order(found, ROUTER.named("gpt-5.4"))) == ["grok-4.5", "qwen3-max", "nova-pro", "gpt-5.4-mini"]
    assert in_order(found, ROUTER.named("nova-pro")) == ()


def test_a_model_s_list_holds_at_its_efforts_unless_one_has_its_own() -> None:
    model = ROUTER.named("gpt-5.4").model
    low, high = (
        Candidate(model, "low"),
        next(c for c in ROUTER.candidates if c.model == model and c.effort not in ("default", "low")),
    )
    found = check_equivalents({"gpt-5.4": ["grok-4.5"], high.key: ["qwen3-max"]}, ROUTER.named)
    assert names(in_order(found, low)) == ["grok-4.5"]
    assert names(in_order(found, high)) == ["qwen3-max"]


NODES = [Candidate(Model(n, n, "Acme", None, None, None)) for n in "ABCDEF"]
BY_NAME = {c.key: c for c in NODES}


@given(st.dictionaries(st.sampled_from("ABCDEF"), st.lists(st.sampled_from("ABCDEF"), unique=True, max_size=5)))
def test_a_list_is_refused_just_where_following_it_comes_back(listed: dict[str, list[str]]) -> None:
    def reaches(start: str, goal: str, seen: frozenset[str] = frozenset()) -> bool:
        following = [n for n in listed.get(start, []) if n not in seen]
        return any(n == goal or reaches(n, goal, seen | {n}) for n in following)

    if any(reaches(n, n) for n in listed):
        with pytest.raises(BadInput, match="circle|own place"):
            check_equivalents(listed, BY_NAME.__getitem__)
        return
    found = check_equivalents(listed, BY_NAME.__getitem__)
    for chosen in NODES:
        order = names(in_order(found, chosen))
        assert len(order) == len(set(order))
        assert set(order) == {n for n in BY_NAME if reaches(chosen.key, n)}
        assert chosen.key not in order


# The rule


def test_no_dearer_and_clears_the_bar() -> None:
    assert ruling("intent", "gpt-5.4", "claude-haiku-4-5") == Ruling(True, "costs no more and clears the bar of 0.91")


def test_what_the_stage_runs_on_today_needs_no_other_proof() -> None:
    found = ruling("intent", "claude-sonnet-4-6", "gpt-5.4")
    assert found == Ruling(True, "costs no more and is what this stage runs on today")


def test_below_the_bar_is_never_allowed() -> None:
    generous = Permission(Decimal(1000), up_to_today=True, without_evidence=True)
    for permission in (None, generous):
        found = ruling("draft", "claude-opus-4-5", "claude-haiku-4-5", permission)
        assert not found.ok
        assert found.sentence.startswith("below the bar by")


def test_dearer_only_by_permission_which_the_rule_states() -> None:
    assert ruling("intent", "gpt-5.4", "claude-sonnet-4-6") == Ruling(
        False, "it is dearer ($0.0036 a call against $0.0031, at the usual length)"
    )
    allowed = ruling("intent", "gpt-5.4", "claude-sonnet-4-6", Permission(Decimal("1.5")))
    assert allowed == Ruling(
        True,
        "is dearer ($0.0036 a call against $0.0031, at the usual length), which your list allows up to 1.5 times, "
        "and clears the bar of 0.91",
    )
    assert not ruling("intent", "gpt-5.4", "claude-opus-4-5", Permission(Decimal("1.5"))).ok


def test_up_to_what_the_stage_costs_today() -> None:
    permission = Permission(up_to_today=True)
    chosen = ROUTER.decide(FLOW.stage("intent"), (Prompt("intent", 1, (), 1000, 0),), "kr-auto").chosen.key
    allowed = ruling("intent", chosen, "claude-haiku-4-5", permission)
    assert allowed.ok
    assert "up to what the stage costs today at that length, $0.0031, and clears the bar" in allowed.sentence
    assert not ruling("intent", chosen, "claude-haiku-4-5").ok
    assert not ruling("intent", chosen, "claude-opus-4-5", permission).ok


def test_the_bar_is_the_one_of_this_ticket() -> None:
    hard = replace(CALM, text="My account was hacked, I will sue you in court.")
    raised = ROUTER.bar(FLOW.stage("intent"), ())
    assert ruling("intent", "gpt-5.4", "claude-haiku-4-5").sentence.endswith(f"{raised.value:.2f}")
    found = ruling("intent", "gpt-5.4", "claude-haiku-4-5", ticket=hard)
    assert "0.93" in found.sentence


def test_weak_passages_raise_the_bar_too() -> None:
    asked = request("draft", "claude-opus-4-5")
    context = replace(asked.context, passages=(Passage("a", "", "", 1.0),), earlier={"rerank": {"scores": []}})
    candidate = ROUTER.named("claude-sonnet-4-6")
    calm = router_rules(ROUTER)(asked, candidate)
    weak = router_rules(ROUTER)(replace(asked, context=context), candidate)
    assert calm.sentence.endswith("0.90")
    assert "0.90" not in weak.sentence


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(providers=frozenset({"OpenAI"})), "Anthropic is not among the providers you allow"),
        (Settings(reachable=frozenset({"OpenAI"})), "no key for Anthropic"),
        (Settings(never=frozenset({"claude-haiku-4-5"})), "you chose never to use it"),
        (Settings(call_budget_usd=Decimal("0.0001")), "over your limit of"),
        (Settings(assurance="proven"), "not proven"),
    ],
)
def test_what_the_user_has_ruled_out_stands_in_for_nobody(settings: Settings, words: str) -> None:
    found = ruling("intent", "gpt-5.4", "claude-haiku-4-5", Permission(Decimal(9)), make_router(FLOW, settings))
    assert not found.ok
    assert words in found.sentence


def test_a_prompt_that_does_not_fit_goes_nowhere() -> None:
    found = ruling("intent", "gpt-5.4", "claude-haiku-4-5", tokens=250_000)
    assert not found.ok
    assert "do not fit its context" in found.sentence


def own_server(price: str | None) -> Router:
    rate = None if price is None else Decimal(price)
    (model,) = endpoint_models("http://127.0.0.1:1/v1", ["mine"], rate, rate, provider="Mine")
    return make_router(FLOW, catalog=ROUTER.catalog.with_model(model))


def test_a_model_of_one_s_own_needs_permission_to_go_without_evidence() -> None:
    router = own_server("1")
    assert "insufficient evidence" in ruling("intent", "gpt-5.4", "mine (Mine)", None, router).sentence
    allowed = ruling("intent", "gpt-5.4", "mine (Mine)", Permission(without_evidence=True), router)
    assert allowed == Ruling(True, "costs no more and has no evidence here, which your list allows")


def test_without_a_price_nothing_can_be_compared() -> None:
    router, permission = own_server(None), Permission(without_evidence=True)
    assert "no price is known" in ruling("intent", "gpt-5.4", "mine (Mine)", permission, router).sentence
    other = ruling("intent", "mine (Mine)", "gpt-5.4", permission, router)
    assert other == Ruling(False, "mine (Mine) has no known price, so the two cannot be compared")


def test_known_below_the_bar_stays_out_also_where_only_proof_is_missing() -> None:
    router = make_router(FLOW, Settings(assurance="proven"))
    permission = Permission(Decimal(100), without_evidence=True)
    assert not ruling("draft", "claude-opus-4-5", "claude-haiku-4-5", permission, router).ok
    assert ruling("intent", "gpt-5.4", "claude-haiku-4-5", permission, router).ok


@pytest.mark.parametrize("factor", ["0.5", "-1", "NaN", "Infinity"])
def test_a_factor_that_makes_no_sense_is_refused(factor: str) -> None:
    with pytest.raises(BadInput, match="dearer_up_to must be"):
        Permission(Decimal(factor))
