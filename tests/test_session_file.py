"""A set-up survives its file; what no longer exists is one sentence, and no key is in any byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import tickets
from playground.benchmark_scale import EFFORTS
from playground.catalog import load_catalog
from playground.errors import BadInput
from playground.evidence_file import OwnEvidence
from playground.forecast import Assumptions
from playground.options import Settings
from playground.pipeline import STAGE_KEYS, PromptTemplate, load_shipped
from playground.records import EvidenceRow, Model, Pairs, Price, Proof, Rates
from playground.runtime import CostCaps, EmbeddingRules, ExactCache, FailoverRules, LeakRules, Runtime
from playground.scoring import shipped_rubric
from playground.scrub import secrets_of
from playground.session_file import FORMAT, RANGES, SetUp, keep, restore
from playground.ui.state import address

CATALOG = load_catalog()
FLOW = load_shipped("support")
BY_MEANING = EmbeddingRules("text-embedding-3-small", 0.86, 5_000, 400, 4, date(2026, 11, 26))
NAMES = [m.name for m in CATALOG.models]
OWN_MODEL = Model(
    "openai/house", "house", "Proxy", Price(Rates(Decimal("0.1"), Decimal("0.4")), date(2026, 11, 1), "own"), 32_000, None,
    endpoint="https://proxy.example/v1",
)  # fmt: skip
ROW = EvidenceRow("draft", "gpt-5.4", "default", "House set", "accuracy", 81.5, "pct", 40, "A", "", "2026-11", "ours")
PROOF = Proof("draft", "gpt-5.4-mini", "gpt-5.4-mini", "support", "1", "abc", 400, date(2026, 11, 2), "live", margin=0.02,
              current="claude-opus-4-5", judge="gpt-5.5", labels=60)  # fmt: skip
FULL = SetUp(
    flow=FLOW,
    plan="stratified",
    mode="Live",
    assurance="proven",
    bar_shift=-0.05,
    providers=frozenset({"OpenAI", "Anthropic"}),
    limits=Settings(
        never=frozenset({"gpt-5.5"}),
        preferred=frozenset({"Google"}),
        efforts=frozenset({"none", "low"}),
        min_days_to_retirement=90,
        call_budget_usd=Decimal("0.0125"),
        ticket_budget_usd=Decimal("0.2"),
        raise_bars=False,
    ),
    pins={"draft": "house", "check": "gpt-5.4"},
    bars={"draft": 0.87},
    margins={"check": 0.03},
    edits={"draft": PromptTemplate("Be brief.", "{{ ticket }}")},
    runtime=Runtime(
        0.6,
        CostCaps(Decimal("2.5")),
        leaks=LeakRules(("example.com",)),
        exact_cache=ExactCache(12.0),
        semantic_cache=0.8,
        semantic_embedding=BY_MEANING,
    ),
    own=OwnEvidence((ROW,), {("intent", "gpt-5.4-mini"): Pairs(95.5, 100)}, (PROOF,)),
    rehearsed=frozenset({("intent", "gpt-5.4-mini")}),
    month=Assumptions(5_000, 0.2, 1.5, 0.3, Decimal("4.55"), Decimal(100), -0.1, 0.02, Decimal("1234.5"), False),
    models=(OWN_MODEL,),
    rubric=shipped_rubric().source,
    ticket=tickets.samples()["07-german"],
)


def test_everything_that_was_set_comes_back() -> None:
    found = restore(keep(FULL), "set-up.json", CATALOG)
    assert found.problems == ()
    today = found.setup.limits.today
    assert replace(found.setup, limits=replace(found.setup.limits, today=FULL.limits.today)) == FULL
    assert today == date.today()
    assert found.catalog.by_name("house") == OWN_MODEL


def test_the_ticket_is_in_it_only_where_it_is_asked_for() -> None:
    without = keep(replace(FULL, ticket=None))
    assert "Rechnung" in keep(FULL).decode()
    assert "Rechnung" not in without.decode()
    assert restore(without, "s.json", CATALOG).setup.ticket is None


def test_an_agent_of_ones_own_is_in_it_whole() -> None:
    own = replace(
        FLOW, name="ours", version="7", runtime=Runtime(failover=FailoverRules({"gpt-5.4": ("gpt-5.4-mini",)}))
    )
    assert restore(keep(SetUp(own)), "s.json", CATALOG).setup.flow == own
    assert json.loads(keep(SetUp(FLOW)))["pipeline"] == "support"


shares = st.floats(0, 1).map(lambda x: round(x, 4))


@settings(max_examples=60)
@given(
    plan=st.sampled_from(("before", "stratified", "kr-auto")),
    shift=st.floats(-0.15, 0.10),
    providers=st.none() | st.frozensets(st.sampled_from(CATALOG.providers), min_size=1),
    never=st.frozensets(st.sampled_from(NAMES)),
    efforts=st.none() | st.frozensets(st.sampled_from(EFFORTS), min_size=1),
    pins=st.dictionaries(st.sampled_from(STAGE_KEYS), st.sampled_from(NAMES)),
    bars=st.dictionaries(st.sampled_from(STAGE_KEYS), st.floats(0.5, 1.0)),
    budget=st.none() | st.decimals(0, 100, places=4),
    volume=st.integers(1, 10_000_000),
    again=shares,
    person=st.decimals(0, 1000, places=2),
    words=st.text(max_size=200),
)
def test_any_set_up_comes_back(
    plan: Any, shift: float, providers: Any, never: Any, efforts: Any, pins: Any, bars: Any, budget: Any, volume: int,
    again: float, person: Decimal, words: str,
) -> None:  # fmt: skip
    limits = Settings(never=never, efforts=efforts, call_budget_usd=budget)
    month = replace(Assumptions(), tickets_per_month=volume, again_share=again, human_cost_usd=person)
    edits = {"draft": PromptTemplate(f"Say: {words.replace('{', '(')}", "{{ ticket }}")}
    setup = SetUp(FLOW, plan, "Rehearsal", "estimated", shift, providers, limits, pins, bars, {}, edits, month=month)
    found = restore(keep(setup), "s.json", CATALOG)
    assert found.problems == ()
    clean = edits["draft"].system.encode("utf-8", "replace").decode()
    assert replace(found.setup, edits={}) == replace(setup, edits={})
    assert found.setup.edits["draft"].system == clean


def edited(edit: Callable[[dict[str, Any]], object], setup: SetUp = FULL) -> bytes:
    tree = json.loads(keep(setup))
    edit(tree)
    return json.dumps(tree).encode()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda t: t["pins"].update(draft="gone-1"), "the pin at draft"),
        (lambda t: t["pins"].update(draft="gpt-5.4 @extreme"), "the pin at draft"),
        (lambda t: t["pins"].update(lunch="gpt-5.4"), "the stage lunch"),
        (lambda t: t["limits"].update(never=["gone-1"]), "the model gone-1"),
        (lambda t: t["limits"].update(preferred=["Nobody"]), "the provider Nobody"),
        (lambda t: t["limits"].update(efforts=["extreme"]), "the effort extreme"),
        (lambda t: t["knobs"].update(providers=["Nobody"]), "the provider Nobody"),
        (lambda t: t["knobs"].update(bar_shift=3.0), "knobs.bar_shift 3"),
        (lambda t: t["bars"].update(draft=0.2), "bars.draft 0.2"),
        (lambda t: t["margins"].update(draft=0.9), "margins.draft 0.9"),
        (lambda t: t["edits"].update(draft={"system": "x", "user": "{{ secret }}"}), "the edited prompt"),
        (lambda t: t["runtime"].update(confidence_gate=7), "what stands around the calls"),
        (lambda t: t["runtime"].update(magic=1), "what stands around the calls"),
        (lambda t: t["results"][0].update(model="gone-1"), "results, line 2: the catalogue has no model"),
        (lambda t: t["shadow_pairs"][0].update(accepted=500), "shadow_pairs, line 2: accepted"),
        (lambda t: t["verdicts"][0].update(decided_on="2999-01-01"), "verdicts, line 2: decided_on"),
        (lambda t: t["month"].update(escalation_share=3), "month.escalation_share 3"),
        (lambda t: t["month"].update(again_share="often"), "the assumption again_share"),
        (lambda t: t["month"].update(weather=1), "the assumption weather"),
        (lambda t: t.update(pipeline="no-such-agent"), "the agent, so the shipped one is used"),
        (lambda t: t.update(pipeline={"name": "x"}), "the agent, so the shipped one is used"),
        (lambda t: t.update(rubric="- nothing"), "the judge's rubric"),
        (lambda t: t["ticket"].update(text=" "), "the ticket"),
    ],
)  # fmt: skip
def test_what_cannot_be_restored_is_one_sentence_and_the_rest_is(edit: Any, said: str) -> None:
    found = restore(edited(edit), "s.json", CATALOG)
    assert [said in p for p in found.problems].count(True) == 1
    assert found.setup.plan == "stratified"
    assert found.setup.own.problems == ()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda t: t.update(schema_version=9), "newer version of this app"),
        (lambda t: t.update(format="ticket-playground recorded run"), "not a set-up"),
        (lambda t: t["knobs"].update(plan="cheapest"), "knobs.plan"),
        (lambda t: t.update(api_key="x"), "api_key: this key is not known"),
        (lambda t: t["limits"].update(call_budget_usd="NaN"), "limits.call_budget_usd: this must be a sum of money"),
        (lambda t: t["month"].update(human_cost_usd="1e300"), "month.human_cost_usd: this must be a sum of money"),
        (lambda t: t["limits"].update(min_days_to_retirement="7"), "limits.min_days_to_retirement"),
        (lambda t: t.pop("knobs"), "knobs: this key is missing"),
    ],
)
def test_a_file_of_another_shape_is_refused_in_a_sentence(edit: Any, said: str) -> None:
    with pytest.raises(BadInput) as error:
        restore(edited(edit), "s.json", CATALOG)
    assert said in str(error.value)
    assert str(error.value).startswith("s.json: ")


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(BadInput, match="at most 20,000,000"):
        restore(b" " * (FORMAT.largest + 1), "s.json", CATALOG)


def test_no_key_and_no_webhook_is_in_any_byte() -> None:
    environ = {
        "OPENAI_API_KEY": "sk-proj-zzzzYYYY11112222",
        "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T9/B9/abcdEFGH",
    }
    leaky = replace(
        FULL,
        edits={
            "draft": PromptTemplate(
                f"Key {environ['OPENAI_API_KEY']}, hook {environ['SLACK_WEBHOOK_URL']}", "{{ ticket }}"
            )
        },
        models=(replace(OWN_MODEL, endpoint="https://me:hunter2@proxy.example/v1?api_key=topsecret99"),),
        ticket=tickets.from_text("My token is xoxb-1234567890-abcdef and sk-ant-api03-QQQQwwww9999"),
    )
    raw = keep(leaky, secrets=secrets_of(environ), made_at=datetime(2026, 11, 12, tzinfo=UTC)).decode()
    for secret in (*environ.values(), "hunter2", "topsecret99", "xoxb-1234567890", "sk-ant-api03"):
        assert secret not in raw
    assert restore(raw.encode(), "s.json", CATALOG).setup.models[0].endpoint == "https://proxy.example/v1"


def test_the_ranges_are_those_of_the_controls_in_the_address() -> None:
    shares = {
        "again": "again_share",
        "growth": "growth_share",
        "retries": "retry_share",
        "escalation": "escalation_share",
    }
    plain = {"again_rounds": "again_rounds", "human_cost": "human_cost_usd", "fixed_cost": "fixed_cost_usd",
             "own_bill": "bill_usd", "bar_shift": "bar_shift"}  # fmt: skip
    for key, (low, high) in address._RANGES.items():
        factor = 100 if key in shares else 1
        assert tuple(x * factor for x in RANGES[shares.get(key) or plain[key]]) == (low, high)
