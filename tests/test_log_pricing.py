"""A log priced at once against every ticket decided on its own."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from playground import tickets
from playground.batch_costs import PICO, UNPRICED, in_usd
from playground.catalog import load_catalog
from playground.difficulty import cues
from playground.knowledge import sample_help_centre, sample_policies
from playground.log_pricing import merged, price_batch
from playground.log_tickets import LogTickets
from playground.money import Total
from playground.options import Load, Settings, stage_cost_usd
from playground.pipeline import load_shipped
from playground.prompt_counts import count_inputs
from playground.records import PLANS, Model, Price, Prompt, Rates, Ticket
from playground.router import Router
from playground.workshop import make_router
from tests.test_prompt_counts import column_wise

CENTRE, POLICIES = sample_help_centre(), sample_policies()
FLOW = load_shipped("support")
TODAY = date(2026, 11, 24)
SAMPLES = list(tickets.samples().values())


def router(**rules: object) -> Router:
    return make_router(FLOW, Settings(today=TODAY, **rules))  # type: ignore[arg-type]


def one_by_one(found: list[Ticket], by: Router) -> dict[str, list[Decimal | None]]:
    """Each ticket's cost under each plan, as the router decides it on prompts of the same tokens."""
    inputs = count_inputs(column_wise(found), by.pipeline, CENTRE, POLICIES)
    result: dict[str, list[Decimal | None]] = {plan: [] for plan in PLANS}
    for i, ticket in enumerate(found):
        for plan in PLANS:
            costs = []
            for stage in by.pipeline.stages:
                prompts = tuple(Prompt(stage.key, c, (), int(n), 0) for c, n in enumerate(inputs[stage.key][i], 1))
                decision = by.decide(stage, prompts, plan, cues(ticket))
                costs.append(stage_cost_usd(decision.chosen, Load.of(stage, prompts)))
            result[plan].append(Total.of(costs).exact_usd)
    return result


def all_at_once(found: list[Ticket], by: Router) -> dict[str, list[Decimal | None]]:
    batch = price_batch(column_wise(found), by, CENTRE, POLICIES)
    return {plan: [None if c == UNPRICED else in_usd(int(c)) for c in batch.ticket_costs(plan)] for plan in PLANS}


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"providers": frozenset({"OpenAI", "Google"})},
        {"providers": frozenset()},
        {"bars": {s.key: 0.97 for s in FLOW.stages}},
        {"raise_bars": False},
        {"pins": {"draft": "gpt-5.4-mini"}},
        {"efforts": frozenset({"none"})},
        {"assurance": "proven"},
        {"min_days_to_retirement": 400},
        {"preferred": frozenset({"Mistral"})},
        {"call_budget_usd": Decimal("0.01")},
    ],
    ids=lambda rules: ",".join(rules) or "default",
)
def test_every_sample_costs_to_the_last_digit_what_its_own_decisions_cost(rules: dict[str, object]) -> None:
    assert all_at_once(SAMPLES, router(**rules)) == one_by_one(SAMPLES, router(**rules))


def test_real_tickets_cost_to_the_last_digit_what_their_own_decisions_cost(shared: Path) -> None:
    with (shared / "tickets" / "banking77_train.csv").open(encoding="utf-8", newline="") as file:
        found = [Ticket(f"b{i}", r["text"]) for i, r in enumerate(csv.DictReader(file)) if i % 60 == 0]
    assert all_at_once(found, router()) == one_by_one(found, router())


def test_a_long_ticket_pays_the_long_context_price_and_skips_what_it_does_not_fit() -> None:
    found = [Ticket("long", "word " * 290_000), Ticket("longer", "word " * 900_000), SAMPLES[0]]
    assert all_at_once(found, router()) == one_by_one(found, router())


def test_the_articles_agent_is_priced_too() -> None:
    by = make_router(load_shipped("article-2025"), Settings(today=TODAY))
    assert all_at_once(SAMPLES, by) == one_by_one(SAMPLES, by)


def test_a_model_without_a_price_leaves_the_ticket_unpriced_and_never_free() -> None:
    own = Model("openai/own", "own", "Mine", None, 100_000, 10_000)
    by = make_router(FLOW, Settings(today=TODAY, pins={"draft": "own"}), load_catalog().with_model(own))
    batch = price_batch(column_wise(SAMPLES[:2]), by, CENTRE, POLICIES)
    assert (batch.ticket_costs("kr-auto") == UNPRICED).all()
    assert (batch.ticket_costs("before") < UNPRICED).all()


def test_a_price_with_more_digits_than_whole_units_hold_is_still_exact() -> None:
    price = Price(Rates(Decimal("0.1234567"), Decimal("0.7654321")), TODAY, "mine")
    own = Model("openai/own", "own", "Mine", price, None, None)
    by = make_router(
        FLOW, Settings(today=TODAY, pins={s.key: "own" for s in FLOW.stages}), load_catalog().with_model(own)
    )
    batch = price_batch(column_wise(SAMPLES[:3]), by, CENTRE, POLICIES)
    for i, whole in enumerate(one_by_one(SAMPLES[:3], by)["kr-auto"]):
        assert whole is not None
        assert abs(in_usd(int(batch.ticket_costs("kr-auto")[i])) - whole) <= Decimal(6) / PICO


def test_batches_add_up_to_the_whole() -> None:
    whole = price_batch(column_wise(SAMPLES), router(), CENTRE, POLICIES)
    parts = merged(
        price_batch(column_wise(SAMPLES[i : i + 5]), router(), CENTRE, POLICIES) for i in range(0, len(SAMPLES), 5)
    )
    assert parts.ids.tolist() == whole.ids.tolist()
    assert parts.models == whole.models
    for plan in PLANS:
        assert np.array_equal(parts.costs[plan], whole.costs[plan])


def test_the_hard_ones_are_named_and_every_ticket_has_a_model_at_every_stage() -> None:
    batch = price_batch(column_wise([*SAMPLES, Ticket("p", "How do I rename a project?")]), router(), CENTRE, POLICIES)
    assert batch.hard[0]
    assert not batch.hard[-1]
    assert all(sum(numbers.values()) == len(SAMPLES) + 1 for numbers in batch.models.values())


def test_an_empty_batch_costs_nothing() -> None:
    batch = price_batch(LogTickets((), (), (), ()), router(), CENTRE, POLICIES)
    assert len(batch.ticket_costs("before")) == 0


def test_a_changed_stage_changes_the_price() -> None:
    longer = replace(FLOW.stage("draft"), typical_output_tokens=FLOW.stage("draft").typical_output_tokens + 100)
    more = make_router(FLOW.with_stage(longer), Settings(today=TODAY))
    assert all_at_once(SAMPLES[:1], more)["before"][0] > all_at_once(SAMPLES[:1], router())["before"][0]  # type: ignore[operator]
