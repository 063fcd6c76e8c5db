"""Prompt caching: what is the fixed part, who is sent a mark, what a call saves at a volume, and where it costs more."""

from __future__ import annotations

import warnings
from dataclasses import replace
from decimal import Decimal
from math import exp
from typing import Any

import numpy as np
import pytest

from playground import tokens
from playground.bill import bills
from playground.gateway import Connection, Gateway, warm
from playground.knowledge import sample_help_centre, sample_policies
from playground.log_pricing import merged, price_batch
from playground.log_tickets import LogTickets
from playground.loop import run_all
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.prices import cached_prefix, cost_usd
from playground.prompt_caching import (
    HALF_HOUR_S,
    SECONDS_IN_MONTH,
    SHORT_S,
    CachedPrefix,
    keeps_s,
    mark_of,
    pays_from,
    read_saving_usd_per_mtok,
    write_extra_usd_per_mtok,
    write_share,
)
from playground.prompt_counts import prefix_tokens
from playground.prompts import render
from playground.records import Candidate, Context, Message, Model, OutputSpec, Passage, Prompt, Request, Ticket, Usage
from playground.ticket_prefixes import cache_saving_usd
from playground.tickets import samples
from playground.workshop import make_agent, make_router
from tests.fake_server import FakeServer, Reply
from tests.test_gateway import anthropic_stream, openai_stream

pytestmark = pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning")

D = Decimal
CATALOG = make_router(load_shipped("support")).catalog
OPUS, SONNET, OLD, NEW = map(CATALOG.by_name, ("claude-opus-4-5", "claude-sonnet-4-6", "gpt-5.4", "gpt-5.6-sol"))
GEMINI, DEEPSEEK = map(CATALOG.by_name, ("gemini-2.5-flash", "deepseek-v4-pro"))
FLOWS = [load_shipped(name) for name in ("support", "article-2025")]


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    with warnings.catch_warnings(action="ignore"):
        warm()


# The fixed part


@pytest.mark.parametrize("flow", FLOWS, ids=[f.name for f in FLOWS])
def test_the_fixed_part_stands_first_and_is_the_same_for_any_two_tickets(flow: Any) -> None:
    passages = tuple(Passage(f"p{i}", f"Title {i}", f"Text {i}.") for i in range(6))
    one, other = (
        Context(ticket, flow.labels, sample_policies(), shown, earlier)
        for ticket, shown, earlier in (
            (Ticket("1", "I was charged twice.", subject="Charged twice", customer_id="acme"), passages[:3], {}),
            (
                Ticket("2", "Wie exportiere ich Daten?"),
                passages[3:],
                {"intent": {"label": "other"}, "respond": "Hello"},
            ),
        )
    )
    for stage in flow.stages:
        counted = prefix_tokens(stage, flow, sample_policies())
        for a, b in zip(render(stage, one), render(stage, other), strict=True):
            assert a.messages[0] == b.messages[0]
            assert a.messages[0].role == "system"
            assert a.messages[-1] != b.messages[-1]
            assert a.prefix_tokens == b.prefix_tokens == counted == tokens.count(a.messages[0].content)


# Marks


def ask(model: Model, prefix: int) -> Request:
    prompt = Prompt("draft", 1, (Message("system", "You draft."), Message("user", "Refund?")), prefix + 50, prefix)
    return Request(Candidate(model), prompt, OutputSpec("text"), 200, 40, Context(Ticket("t", "Refund?"), {}, ()))


def sent(model: Model, prefix: int, raw: bytes | None = None) -> tuple[dict[str, Any], Usage]:
    with FakeServer(script=lambda body: Reply(raw=raw)) as server:
        url = server.base_url.removesuffix("/v1") if model.provider in ("Anthropic", "Google") else server.base_url
        connections = {model.endpoint or model.provider: Connection(model.provider, "key", url)}
        done = Gateway(connections).complete(ask(model, prefix))
        return server.seen[-1], done.usage


CLAUDE = anthropic_stream({"input_tokens": 50, "cache_creation_input_tokens": 1_300}, 12)
MARKED = [{"type": "text", "text": "You draft.", "cache_control": {"type": "ephemeral"}}]


def test_anthropic_is_sent_a_mark_at_the_end_of_the_fixed_part_and_says_what_it_wrote() -> None:
    body, usage = sent(SONNET, 1_300, CLAUDE)
    assert body["system"] == MARKED
    assert "cache_control" not in str(body["messages"])
    assert usage == Usage(1_350, 12, 0, 1_300, 0, "provider")
    # 50 fresh at 3, 1,300 written at 3.75, 12 out at 15 USD a million.
    assert cost_usd(usage, SONNET.price) == (50 * D(3) + 1_300 * D("3.75") + 12 * D(15)) / 1_000_000


@pytest.mark.parametrize(("model", "prefix"), [(SONNET, 1_023), (OPUS, 4_095)])
def test_a_fixed_part_too_short_for_the_model_is_not_marked(model: Model, prefix: int) -> None:
    body, _ = sent(model, prefix, CLAUDE)
    assert "cache_control" not in str(body)
    body, _ = sent(model, prefix + 1, CLAUDE)
    assert body["system"] == MARKED


def test_openai_s_models_that_cache_by_themselves_are_sent_no_mark() -> None:
    body, _ = sent(OLD, 5_000)
    assert body["messages"][0] == {"role": "system", "content": "You draft."}
    assert "cache" not in str(body)


def test_openai_s_models_that_charge_for_writing_write_the_fixed_part_and_nothing_else() -> None:
    written = {"prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 1_300}}
    raw = openai_stream({"prompt_tokens": 1_350, "completion_tokens": 12, **written})
    body, usage = sent(NEW, 1_300, raw)
    (block,) = body["messages"][0]["content"]
    assert block == {"type": "text", "text": "You draft.", "prompt_cache_breakpoint": {"mode": "explicit"}}
    assert body["prompt_cache_options"] == {"mode": "explicit"}
    assert usage == Usage(1_350, 12, 0, 1_300, 0, "provider")
    short, _ = sent(NEW, 1_023)
    assert short["messages"][0]["content"] == "You draft."
    assert short["prompt_cache_options"] == {"mode": "explicit"}


@pytest.mark.parametrize("model", [GEMINI, DEEPSEEK, replace(SONNET, endpoint="http://127.0.0.1:9/v1")])
def test_nobody_else_is_sent_a_mark(model: Model) -> None:
    assert mark_of(model) == ""


# What it saves


def call_saving_usd(model: Model, prefix_tokens: int, written: float = 0.0) -> D:
    """What caching takes off one average call by the engine's own rates, where a share `written` of calls writes."""
    prefix = cached_prefix(model, prefix_tokens)
    if model.price is None or not prefix:
        return D(0)
    rates = model.price.rates
    a_token = read_saving_usd_per_mtok(rates) - D(repr(written)) * write_extra_usd_per_mtok(rates)
    return prefix * a_token / 1_000_000


def test_with_the_fixed_part_always_there_it_costs_a_tenth() -> None:
    assert call_saving_usd(SONNET, 2_000) == 2_000 * (D(3) - D("0.3")) / 1_000_000
    assert call_saving_usd(SONNET, 1_023) == 0
    assert call_saving_usd(CATALOG.by_name("qwen3-max"), 9_000) == 0


def test_where_every_call_writes_it_costs_a_quarter_more() -> None:
    assert call_saving_usd(SONNET, 2_000, 1.0) == -2_000 * D("0.75") / 1_000_000
    # OpenAI's older models write for nothing, so caching never costs more there.
    assert call_saving_usd(OLD, 2_000, 1.0) == 0
    assert call_saving_usd(DEEPSEEK, 2_000, 1.0) == 0


def test_calls_that_come_at_random_write_as_often_as_the_closed_form_says() -> None:
    rng = np.random.default_rng(3)
    for rate in (0.0005, 0.003, 0.01):
        gaps = rng.exponential(1 / rate, 400_000)
        assert float((gaps > SHORT_S).mean()) == pytest.approx(write_share(rate, SHORT_S), abs=0.003)
    assert write_share(1 / 300, 300) == exp(-1)


def written(model: Model, tickets_per_month: float) -> float:
    return CachedPrefix("draft", model.name, keeps_s(model), D(1), D(1)).written(tickets_per_month)


def test_at_a_volume_the_share_that_writes_follows_from_the_provider_s_time() -> None:
    assert (keeps_s(SONNET), keeps_s(NEW), keeps_s(OLD)) == (SHORT_S, HALF_HOUR_S, SHORT_S)
    n = SECONDS_IN_MONTH / 300
    assert written(SONNET, n) == pytest.approx(exp(-1))
    assert written(NEW, n) == pytest.approx(exp(-6))
    assert written(SONNET, 0) == 1


def test_few_tickets_pay_more_for_writing_than_they_save() -> None:
    """At Anthropic reads save 0.9 of a token and a write costs 1.15 more than a read: even at a share of 0.9 / 1.15."""
    few = pays_from(D("2.7"), D("3.45"), 300)
    assert few == 2_149  # -ln(0.9 / 1.15) x 2,629,800 / 300
    assert call_saving_usd(SONNET, 2_000, written(SONNET, few - 1)) < 0
    assert call_saving_usd(SONNET, 2_000, written(SONNET, few)) >= 0
    assert pays_from(D("2.7"), D("3.45"), 300, 0.5) in (4_297, 4_298)
    assert pays_from(D(1), D(1), 300) == pays_from(D(0), D(1), 300) == 0


def test_a_ticket_s_lever_counts_reads_and_writes_at_the_volume() -> None:
    """Three stages of the support agent have a fixed part of over 1,024 tokens, which the sample policies make."""
    flow = load_shipped("support")
    agent = make_agent(make_router(flow, Settings(pins={s.key: "claude-sonnet-4-6" for s in flow.stages})))
    trace = run_all(agent, next(iter(samples().values())), "kr-auto")
    bill = bills(trace, agent.router)["kr-auto"]
    prefix = sum(p.prefix_tokens for s in trace.steps for p in s.prompts if p.prefix_tokens >= 1_024)
    assert prefix == 1_362 + 1_347 + 1_295
    warm = prefix * D("2.7") / 1_000_000
    assert cache_saving_usd(trace, agent.router, bill) == warm
    for n in (100, 10_000):
        written = D(repr(exp(-n / SECONDS_IN_MONTH * 300)))
        found = cache_saving_usd(trace, agent.router, bill, n)
        assert found == pytest.approx(warm - written * prefix * D("3.45") / 1_000_000, abs=D("1e-12"))
        assert (found < 0) == (n == 100)


def test_a_log_s_writes_are_those_of_its_models() -> None:
    flow = load_shipped("support")
    router = make_router(flow, Settings(pins={s.key: "claude-sonnet-4-6" for s in flow.stages}))
    tickets = LogTickets(("1", "2"), ("I was charged twice.", "Where is my invoice?"), ("", ""), ("", ""))
    parts = [price_batch(tickets, router, sample_help_centre(), sample_policies()) for _ in range(2)]
    by_stage = {"draft": 1_362, "check": 1_347, "respond": 1_295}
    sums = {
        (case, stage): {"tickets": 4, "read_pico_usd": 4 * n * 2_700_000, "extra_pico_usd": 4 * n * 3_450_000}
        for case in ("kr-auto", "estimated", "proven")
        for stage, n in by_stage.items()
    }
    found = merged(parts).prefixes
    assert {key[:2]: value for key, value in found.items() if key[0] in ("kr-auto", "estimated", "proven")} == sums
    assert {key[2:] for key in found if key[0] == "kr-auto"} == {("claude-sonnet-4-6", 300.0)}


def test_what_is_marked_is_what_the_forecast_counts() -> None:
    for model in CATALOG.models:
        for prefix in (511, 512, 1_024, 4_096):
            assert (call_saving_usd(model, prefix) > 0) == bool(cached_prefix(model, prefix)), model.name
