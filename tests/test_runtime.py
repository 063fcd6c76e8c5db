"""The part `runtime` of an agent's file: read, written back, and every mistake named with its place."""

from __future__ import annotations

from decimal import Decimal

import pytest

from playground.errors import BadPipeline
from playground.pipeline import load_shipped, parse, to_yaml
from playground.runtime import CostCaps, EscalationRules, ExactCache, FailoverRules, LeakRules, Runtime

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
        EscalationRules(Decimal(100)),
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
