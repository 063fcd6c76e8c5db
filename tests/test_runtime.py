"""The part `runtime` of an agent's file: read, written back, and every mistake named with its place."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from playground.errors import BadPipeline
from playground.guarded import Surroundings, guarded
from playground.loop import run_all
from playground.pipeline import load_shipped, parse, to_yaml
from playground.records import Ticket
from playground.runtime import CURRENCIES, CostCaps, EscalationRules, ExactCache, FailoverRules, LeakRules, Runtime
from tests.scripted import make

WHOLE = """name: mine
title: Mine
extends: support
stages: []
runtime:
  confidence_gate: 0.5
  cost_caps: {times_expected: 3, call_usd: 0.25}
  escalation: {refund_above: 100}
  leaks: {own_sites: [example.com]}
  exact_cache: {ttl_hours: 2}
  semantic_cache: 0.9
  failover: {equivalents: {gpt-5.4: [claude-sonnet-4-6]}, up_to_today: true}
  second_opinions: 0.02
"""


def test_every_part_is_read() -> None:
    assert parse(WHOLE, "mine.yaml").runtime == Runtime(
        0.5,
        CostCaps(Decimal(3), Decimal("0.25")),
        EscalationRules(dict.fromkeys(CURRENCIES, Decimal(100))),
        LeakRules(("example.com",)),
        ExactCache(2.0),
        0.9,
        FailoverRules({"gpt-5.4": ("claude-sonnet-4-6",)}, up_to_today=True),
        0.02,
    )


def test_a_file_without_the_part_is_as_the_one_it_extends() -> None:
    assert parse(WHOLE.partition("runtime:")[0], "mine.yaml").runtime == load_shipped("support").runtime


def test_what_is_written_is_read_back() -> None:
    flow = parse(WHOLE, "mine.yaml")
    assert parse(to_yaml(flow), "again.yaml") == flow


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "confidence_gate: 0.5",
            "confidence_gate: 1.5",
            "line 6: runtime.confidence_gate: Input should be less than or equal to 1",
        ),
        (
            "semantic_cache: 0.9",
            "semantic_cache: -1",
            "line 11: runtime.semantic_cache: Input should be greater than or equal to 0",
        ),
        (
            "call_usd: 0.25",
            "call_usd: -1",
            "line 7: runtime.cost_caps.call_usd: Input should be greater than or equal to 0",
        ),
        ("call_usd: 0.25", "call_usd: .nan", "line 7: runtime.cost_caps.call_usd: Input should be a finite number"),
        ("call_usd: 0.25", "per_call: 1", "unknown key; allowed here: times_expected, call_usd, run_usd"),
        ("second_opinions: 0.02", "opinions: 1", "unknown key; allowed here: confidence_gate, cost_caps"),
        ("ttl_hours: 2", "ttl_hours: 0", "line 10: runtime.exact_cache.ttl_hours: Input should be greater than 0"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, said: str) -> None:
    with pytest.raises(BadPipeline) as raised:
        parse(WHOLE.replace(old, new), "mine.yaml")
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        ("100", {"USD": 100, "EUR": 100, "GBP": 100}),
        ("{USD: 50, EUR: 45.50, GBP: 40}", {"USD": 50, "EUR": Decimal("45.5"), "GBP": 40}),
        ("{USD: 50}", {"USD": 50}),
        ("{}", {}),
    ],
)
def test_refunds_have_one_limit_or_one_in_each_currency(written: str, limits: dict[str, Decimal]) -> None:
    flow = parse(WHOLE.replace("refund_above: 100", f"refund_above: {written}"), "mine.yaml")
    assert flow.runtime.escalation is not None
    assert flow.runtime.escalation.refund_above == limits
    assert parse(to_yaml(flow), "again.yaml") == flow


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{CHF: 5}", "Input should be 'USD', 'EUR' or 'GBP'"),
        ("{EUR: -1}", "runtime.escalation.refund_above.EUR: Input should be greater than or equal to 0"),
        ("much", "runtime.escalation.refund_above.USD: Input should be a valid decimal"),
    ],
)
def test_a_limit_that_is_none_is_named(written: str, said: str) -> None:
    with pytest.raises(BadPipeline) as raised:
        parse(WHOLE.replace("refund_above: 100", f"refund_above: {written}"), "mine.yaml")
    assert said in str(raised.value)


def test_a_refund_in_a_currency_without_a_limit_goes_to_a_person() -> None:
    flow = parse(WHOLE.replace("refund_above: 100", "refund_above: {USD: 50, EUR: 200}"), "mine.yaml")
    rules = replace(flow, runtime=Runtime(escalation=flow.runtime.escalation))
    agent = guarded(make(pipeline=rules), Surroundings())

    def held(text: str) -> str:
        found = run_all(agent, Ticket("t", text, "Refund"), "kr-auto").handover
        return "" if found is None else found.reason

    assert "EUR" not in held("Please refund the 150 EUR that you charged twice.")
    assert "above the limit of EUR 200.00" in held("Please refund the 250 EUR that you charged twice.")
    assert "no limit is set in that currency" in held("Please refund the 5 GBP that you charged twice.")


def test_a_gate_without_a_confidence_to_go_by_is_refused_with_its_place() -> None:
    draft = (
        "stages:\n  - key: draft\n    output: {kind: json, schema: {type: object, required: [answer, citations],"
        " properties: {answer: {type: string}, citations: {type: array}}}}"
    )
    text = WHOLE.replace("stages: []", draft)
    with pytest.raises(
        BadPipeline, match=r"line \d+: runtime.confidence_gate: the draft's output asks for no confidence"
    ):
        parse(text, "mine.yaml")
    assert parse(text.replace("  confidence_gate: 0.5\n", ""), "mine.yaml").runtime.confidence_gate is None


def test_the_stage_of_second_opinions_is_read_and_must_be_one() -> None:
    flow = parse(WHOLE + "  opinion_stage: check\n", "mine.yaml")
    assert flow.runtime.opinion_stage == "check"
    assert parse(to_yaml(flow), "again.yaml") == flow
    assert "opinion_stage" not in to_yaml(parse(WHOLE, "mine.yaml"))
    with pytest.raises(BadPipeline, match="opinion_stage"):
        parse(WHOLE + "  opinion_stage: drafts\n", "mine.yaml")


HEAD = "name: mine\ntitle: Mine\nextends: support\nstages: []\nruntime:\n"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (
            'leaks: {own_sites: [example.com, "https://example.com/"]}',
            "mine.yaml: line 6: runtime.leaks.own_sites.1: this is no domain; write it like example.com, without http:// and path "
            "(got 'https://example.com/').",
        ),
        (
            "failover: {equivalents: {gpt-5.4: [claude-sonnet-4-6], claude-sonnet-4-6: [gpt-5.4]}}",
            "mine.yaml: line 6: runtime.failover.equivalents: gpt-5.4 -> claude-sonnet-4-6 -> gpt-5.4 is a circle",
        ),
        ("failover: {equivalents: {gpt-5.4: [gpt-5.4@high]}}", "runtime.failover.equivalents: gpt-5.4@high -> "),
    ],
)
def test_a_site_that_is_none_and_a_circle_are_named_where_the_file_is_read(part: str, said: str) -> None:
    with pytest.raises(BadPipeline) as raised:
        parse(f"{HEAD}  {part}\n", "mine.yaml")
    assert said in str(raised.value)


@pytest.mark.parametrize("site", ["example.com", "help.example.com", "bücher.example", "intranet"])
def test_a_site_is_kept_as_it_is_written(site: str) -> None:
    flow = parse(f"{HEAD}  leaks: {{own_sites: [{site}]}}\n", "mine.yaml")
    assert flow.runtime.leaks is not None
    assert flow.runtime.leaks.own_sites == (site,)
