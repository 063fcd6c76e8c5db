"""A recorded run survives its file to the last digit, and whatever was done to the file is refused or said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground import tickets
from playground.answer_store import Answers
from playground.bill import assured, bills
from playground.errors import BadInput
from playground.guarded import Surroundings, guarded
from playground.json_file import Format
from playground.levers import levers
from playground.loop import run_all
from playground.money import Total
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.recorded import EDITED, FORMAT, load, reading, save
from playground.records import PLANS, Ticket
from playground.runtime import CostCaps, EscalationRules, ExactCache, FailoverRules, LeakRules, Runtime
from playground.scrub import secrets_of
from playground.semantic_cache import SemanticCache
from playground.workshop import make_agent, make_router
from tests.recorded_helpers import MADE_AT, as_recorded, lived, raw_of, rehearsed, saved_tree

GOLDEN = Path(__file__).parent / "data" / "recorded-v1.json"
PARTS = {
    "confidence_gate": 0.7,
    "cost_caps": CostCaps(Decimal("1.5")),
    "escalation": EscalationRules(Decimal(20)),
    "leaks": LeakRules(),
    "exact_cache": ExactCache(),
    "semantic_cache": 0.8,
    "failover": FailoverRules(
        {"gpt-5.4": ("gpt-5.4-mini",), "claude-opus-4-5": ("claude-sonnet-4-6",)}, up_to_today=True
    ),
}
TEXTS = st.one_of(
    st.sampled_from([t.text for t in tickets.samples().values()]),
    st.text(min_size=1, max_size=300).filter(lambda t: bool(tickets.clean(t)[0])),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=TEXTS,
    plan=st.sampled_from(PLANS),
    assurance=st.sampled_from(("estimated", "proven")),
    parts=st.sets(st.sampled_from(sorted(PARTS))),
    twice=st.booleans(),
    down=st.booleans(),
)
def test_any_rehearsal_survives_its_file_to_the_last_digit(
    text: str, plan: Any, assurance: Any, parts: set[str], twice: bool, down: bool
) -> None:
    flow = replace(load_shipped("support"), runtime=Runtime(**{name: PARTS[name] for name in parts}))
    answers, semantic = Answers(None, 3600.0, 10_000_000), SemanticCache("rehearsal", threshold=0.8)
    around = Surroundings(answers=lambda _: answers, semantic=lambda *_: semantic, mark="bcdfghjkmnpqrstvwxzb")
    if down:
        around.health.take_down("Anthropic")
    agent = guarded(make_agent(make_router(flow, Settings(assurance=assurance))), around)
    ticket = tickets.from_text(text, customer_id="acme")
    trace = run_all(agent, ticket, plan)
    trace = run_all(agent, ticket, plan) if twice else trace
    answers.close()
    want, found = as_recorded(trace), load(save(trace, agent.router))
    assert found.notes == ()
    assert Total.of(r.cost_usd for r in found.trace.receipts) == Total.of(r.cost_usd for r in trace.receipts)
    assert [r.saved_usd for r in found.trace.receipts] == [r.saved_usd for r in trace.receipts]
    theirs, ours = bills(want, agent.router), bills(found.trace, found.router)
    assert {p: b.total for p, b in ours.items()} == {p: b.total for p, b in theirs.items()}
    assert {a: b.total for a, b in assured(found.trace, found.router, ours).items()} == {
        a: b.total for a, b in assured(want, agent.router, theirs).items()
    }
    assert [s.handover for s in found.trace.steps] == [s.handover for s in want.steps]
    assert {r.provenance for r in found.trace.receipts} <= {"recorded"}


@pytest.mark.parametrize("plan", PLANS)
def test_every_part_of_a_trace_comes_back(plan: Any) -> None:
    trace, agent = rehearsed(plan=plan)
    found = load(save(trace, agent.router, made_at=MADE_AT))
    assert found.trace == as_recorded(trace)
    assert found.router.pipeline == agent.router.pipeline
    want = bills(as_recorded(trace), agent.router)
    assert bills(found.trace, found.router) == want
    assert levers(found.trace, found.router, want) == levers(as_recorded(trace), agent.router, want)


def test_second_opinions_come_back_with_their_receipts_and_stand_in_no_sum_of_the_ticket() -> None:
    flow = replace(load_shipped("support"), runtime=Runtime(second_opinions=1.0, opinion_stage="draft"))
    agent = guarded(make_agent(make_router(flow)), Surroundings())
    trace = run_all(agent, tickets.samples()["02-password-reset"], "kr-auto")
    ((stage, second),) = trace.second_opinions
    assert len(second.receipts) > 1
    raw = save(trace, agent.router)
    found = load(raw)
    assert found.notes == ()
    recorded = replace(second, receipts=tuple(replace(r, provenance="recorded") for r in second.receipts))
    assert found.trace.second_opinions == ((stage, recorded),)
    assert found.trace.receipts == as_recorded(trace).receipts
    tree = json.loads(raw)
    step = next(s for s in tree["steps"] if "second" in s)
    assert [s for s in tree["steps"] if "second" not in s]
    step["second"]["receipts"][0]["receipt"]["cost_usd"] = "9"
    (note,) = load(raw_of(tree)).notes
    assert note.startswith(f"{EDITED}: {stage}")
    step["second"]["receipts"][0]["receipt"]["provenance"] = "live"
    with pytest.raises(BadInput, match="A run is one or the other"):
        load(raw_of(tree))
    masked = load(save(trace, agent.router, without_personal_data=True))
    assert {r.ticket_id for _, s in masked.trace.second_opinions for r in s.receipts} == {"ticket"}


def test_a_live_run_says_when_it_was_recorded_and_from_what() -> None:
    trace, agent = lived()
    found = load(save(trace, agent.router, made_at=MADE_AT))
    assert (found.label, found.origin) == ("Recorded on 12 November 2026 from a live run.", "live")
    assert {r.usage.cache_read_tokens for r in found.trace.receipts} == {64}
    assert {r.latency_s for r in found.trace.receipts} == {0.25}
    assert {r.provenance for r in found.trace.receipts} == {"recorded"}


def test_a_rehearsal_keeps_saying_so() -> None:
    trace, agent = rehearsed()
    assert load(save(trace, agent.router, made_at=MADE_AT)).label == (
        "Recorded on 12 November 2026 from a rehearsal: no model was called."
    )


def test_a_recording_is_not_recorded_again_and_nothing_is_not_recorded() -> None:
    trace, agent = rehearsed()
    with pytest.raises(BadInput, match="already"):
        save(as_recorded(trace), agent.router)
    with pytest.raises(BadInput, match="Nothing has run"):
        save(replace(trace, steps=()), agent.router)


def test_the_golden_file_of_version_1_is_read_as_ever() -> None:
    found = load(GOLDEN.read_bytes(), GOLDEN.name)
    assert found.notes == ()
    assert found.label == "Recorded on 12 November 2026 from a live run."
    assert found.price_date.isoformat() == "2026-10-21"
    plans = bills(found.trace, found.router)
    # Worked out from the file by hand: tokens times its prices, with another program.
    assert plans["kr-auto"].total.exact_usd == _by_hand(json.loads(GOLDEN.read_text()))
    assert [s.stage for s in found.trace.steps] == ["intent", "rerank", "draft", "check", "respond", "summarise"]
    assert all(len(s.decision.considered) > 5 for s in found.trace.steps)


def _by_hand(tree: dict[str, Any]) -> Decimal:
    """A bill from the file's own figures in whole numbers of 10^-12 USD, as it is to be read by other programs."""
    prices, total = {m["name"]: m["price"] for m in tree["models"]}, 0
    for step in tree["steps"]:
        for a in step["attempts"]:
            u, rates = a["receipt"]["usage"], prices[a["candidate"].partition(" @")[0]]["rates"]
            pico = {k: int(Decimal(v) * 10**6) for k, v in rates.items() if v is not None}
            fresh = u["input_tokens"] - u["cache_read_tokens"]
            out = pico["output_usd_per_mtok"]
            total += fresh * pico["input_usd_per_mtok"]
            total += u["cache_read_tokens"] * pico.get("cache_read_usd_per_mtok", pico["input_usd_per_mtok"])
            total += (u["output_tokens"] - u["reasoning_tokens"]) * out
            total += u["reasoning_tokens"] * pico.get("reasoning_usd_per_mtok", out)
    return Decimal(total) / 10**12


def first_receipt(tree: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = tree["steps"][0]["attempts"][0]["receipt"]
    return found


def test_a_cost_that_its_tokens_do_not_make_is_said_and_recomputed() -> None:
    trace, agent = rehearsed()
    tree = saved_tree(trace, agent)
    first_receipt(tree)["cost_usd"] = "0.000001"
    found = load(raw_of(tree))
    assert found.notes[0].startswith(f"{EDITED}: intent, call 1, try 1 stated $0.000001 instead of")
    assert found.trace.receipts == as_recorded(trace).receipts


def test_a_price_that_was_edited_is_used_and_said() -> None:
    trace, agent = rehearsed()
    tree = saved_tree(trace, agent)
    name = tree["steps"][0]["attempts"][0]["candidate"].partition(" @")[0]
    model = next(m for m in tree["models"] if m["name"] == name)
    model["price"]["rates"] = {**model["price"]["rates"], "input_usd_per_mtok": "1000"}
    found = load(raw_of(tree))
    assert found.notes[0].startswith(EDITED)
    usage = trace.receipts[0].usage
    assert found.trace.receipts[0].cost_usd is not None
    assert found.trace.receipts[0].cost_usd >= Decimal(usage.input_tokens) / 1000


def test_an_edit_that_touches_no_money_is_said_too() -> None:
    trace, agent = rehearsed()
    tree = saved_tree(trace, agent)
    tree["steps"][4]["output"] = "We pay you a million."
    assert load(raw_of(tree, sign=False)).notes == (
        "This file was edited by hand after it was saved: its digest no longer agrees with what it holds.",
    )


def test_an_unknown_model_is_shown_without_a_price_and_one_of_the_file_with_its_own() -> None:
    trace, agent = rehearsed()
    tree = saved_tree(trace, agent)
    tree["steps"][0]["attempts"][0]["candidate"] = "gpt-99"
    found = load(raw_of(tree))
    assert found.trace.steps[0].attempts[0].candidate.key == "gpt-99"
    assert found.trace.receipts[0].cost_usd is None
    assert any("gpt-99" in n and "without a price" in n for n in found.notes)
    tree = json.loads(json.dumps(saved_tree(trace, agent)).replace('"gpt-5.4-mini', '"gone-5-mini'))
    tree["models"] = [dict(m, id=f"old/{m['name']}") for m in tree["models"]]
    kept = load(raw_of(tree))
    used = {a.candidate.model.name for s in kept.trace.steps for a in s.attempts}
    assert Total.of(r.cost_usd for r in kept.trace.receipts) == Total.of(r.cost_usd for r in trace.receipts)
    assert ("gone-5-mini" in used) == any("gone-5-mini" in n for n in kept.notes)


def change(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def edit(tree: dict[str, Any]) -> None:
        *way, last = [int(p) if p.isdigit() else p for p in path.split(".")]
        place: Any = tree
        for key in way:
            place = place[key]
        if value is Ellipsis:
            del place[last]
        else:
            place[last] = value

    return edit


RECEIPT = "steps.0.attempts.0.receipt"
HOSTILE = [
    ("format", "something else", "not a recorded run"),
    ("schema_version", 2, "newer version of this app"),
    ("schema_version", "1", "schema_version: this must be a whole number"),
    ("schema_version", True, "schema_version: this must be a whole number"),
    ("made_at", "yesterday", "made_at:"),
    ("made_at", "2026-11-12T09:30:00", "made_at:"),
    ("origin", "recorded", "origin:"),
    ("origin", "live", "a receipt says rehearsal, and origin says live"),
    ("plan", "cheapest", "plan:"),
    ("steps", [], "steps: the run has no step"),
    ("steps.0.stage", "draft", "steps: stages must be"),
    ("steps.0.prompts", [], "a receipt is of a call that has no prompt"),
    ("steps.0.attempts.0.receipt.call", 9, "a receipt is of a call that has no prompt"),
    ("steps.0.output", None, "steps.0.output: a stage that is done has an output"),
    ("steps.1.decision", Ellipsis, "steps.1.decision: this key is missing"),
    ("steps.1.surprise", 1, "steps.1.surprise: this key is not known"),
    (f"{RECEIPT}.surprise", 1, f"{RECEIPT}.surprise: this key is not known"),
    (f"{RECEIPT}.cost_usd", "a lot", f"{RECEIPT}.cost_usd: this must be a sum of money"),
    (f"{RECEIPT}.cost_usd", "NaN", f"{RECEIPT}.cost_usd: this must be a sum of money"),
    (f"{RECEIPT}.cost_usd", "1e999999999", f"{RECEIPT}.cost_usd: this must be a sum of money"),
    (f"{RECEIPT}.cost_usd", "-1", f"{RECEIPT}.cost_usd: this must be a sum of money"),
    (f"{RECEIPT}.cost_usd", -1, f"{RECEIPT}.cost_usd: it must not be negative"),
    (f"{RECEIPT}.usage.input_tokens", -5, f"{RECEIPT}.usage.input_tokens: it must not be negative"),
    (f"{RECEIPT}.usage.input_tokens", 10**30, f"{RECEIPT}.usage.input_tokens: this number is too large"),
    (f"{RECEIPT}.usage.input_tokens", 1.5, f"{RECEIPT}.usage.input_tokens:"),
    (f"{RECEIPT}.usage.input_tokens", "12", f"{RECEIPT}.usage.input_tokens:"),
    (f"{RECEIPT}.outcome", "fine", f"{RECEIPT}.outcome:"),
    ("models.0.price.rates.input_usd_per_mtok", "1e400", "models.0.price.rates.input_usd_per_mtok: this must be a sum"),
    ("catalog", 10_000, "catalog: this must be from 1"),
    ("catalog", 1, "pipeline:"),
    ("pipeline.keep", 99, "pipeline: keep"),
    ("pipeline.stages.0.before", "no-such-model", "no-such-model"),
    ("pipeline", {"name": "x"}, "pipeline:"),
    ("steps.0.decision.considered.0.quality.results", [99_999], "which the file does not hold"),
    ("steps.0.decision.considered.0.code", "because", "considered.0.code:"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said"), HOSTILE, ids=[f"{p}={str(v)[:20]}" for p, v, _ in HOSTILE])
def test_what_is_wrong_is_named_with_its_place(path: str, value: object, said: str) -> None:
    tree = saved_tree(*rehearsed())
    change(path, value)(tree)
    with pytest.raises(BadInput) as error:
        load(raw_of(tree), "run.json")
    assert said in str(error.value)
    assert str(error.value).startswith("run.json: ")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "line 1 is not valid JSON"),
        (b"\x80\x04\x95", "byte 0 is not UTF-8"),
        (b"[]", "not a recorded run"),
        (b"{}", "not a recorded run"),
        (b'{"format": NaN}', "NaN is not a number that can be used"),
        (b'{"format": ' + b"9" * 5_000 + b"}", "too many digits"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "nested too deeply"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"format": "ticket-playground recorded run", "schema_version": 1, "x": 1e999}', "x: this number is too large"),
        (b" " * (FORMAT.largest + 1), "at most 25,000,000"),
    ],
    ids=["empty", "pickle", "list", "no-keys", "nan", "digits", "deep", "deeper", "infinite", "large"],
)  # fmt: skip
def test_what_is_no_recording_is_refused_in_a_sentence(raw: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        load(raw, "run.json")


def test_an_older_version_is_brought_up_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    trace, agent = rehearsed()
    tree = saved_tree(trace, agent)
    tree["dated"] = tree.pop("made_at")

    def second(old: dict[str, Any]) -> dict[str, Any]:
        return {**{k: v for k, v in old.items() if k != "dated"}, "made_at": old["dated"]}

    newer = Format(FORMAT.marker, FORMAT.name, 2, FORMAT.largest, {1: second})
    monkeypatch.setattr(reading, "FORMAT", newer)
    assert load(raw_of(tree)).made_at == MADE_AT


@settings(max_examples=40)
@given(st.data())
def test_no_edit_of_a_value_breaks_anything_but_with_a_sentence(data: st.DataObject) -> None:
    tree = json.loads(GOLDEN.read_text())
    place: Any = tree
    key: Any = None
    while isinstance(place, dict | list) and place:
        holder = place
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        place = place[key]
        if data.draw(st.integers(0, 5)) == 0:
            break
    odd = st.sampled_from([None, -1, 0, 1e308, "", "x", "<b>", [], {}, True, "1e5", 10**12, ["a"], {"a": 1}])
    holder[key] = data.draw(odd)
    refused, found = "", None
    try:
        found = load(raw_of(tree, sign=False), "run.json")
    except BadInput as error:
        refused = str(error)
    assert found is not None or refused.startswith("run.json: ")
    if found is not None:
        assert str(Total.of(r.cost_usd for r in found.trace.receipts))
        assert set(bills(found.trace, found.router)) == set(PLANS)


SECRETS = {
    "OPENAI_API_KEY": "sk-proj-abcdEFGH1234567890",
    "MY_GATEWAY_TOKEN": "plainwordsecret",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T000/B000/XXXXXXXX",
}


def test_no_secret_is_in_any_byte_of_a_file() -> None:
    told = (
        "My key is sk-ant-api03-AAAAbbbbCCCC1111 and the gateway has plainwordsecret, also gh"
        "p_abcdefghijkl1234567890. "
        "Hook: https://hooks.slack.com/services/T111/B222/zzzzYYYY and https://bob:hunter2@intra.example/x."
    )
    trace, agent = lived(
        lambda text: text.replace("Hello", f"Hello {SECRETS['OPENAI_API_KEY']} {SECRETS['SLACK_WEBHOOK_URL']}"),
        tickets.from_text(told, "Help, plainwordsecret"),
    )
    assert any(SECRETS["OPENAI_API_KEY"] in a.text for s in trace.steps for a in s.attempts)
    raw = save(trace, agent.router, secrets=secrets_of(SECRETS)).decode()
    for secret in (
        *SECRETS.values(),
        "sk-ant-api03",
        "abcdefghijkl1234567890",
        "T111/B222",
        "hunter2",
        "plainwordsecret",
    ):
        assert secret not in raw
    found = load(raw.encode())
    assert found.notes == ()
    assert Total.of(r.cost_usd for r in found.trace.receipts) == Total.of(r.cost_usd for r in trace.receipts)


def test_personal_data_is_left_out_where_it_is_asked_for() -> None:
    ticket = Ticket(
        "t-1", "Mail ann@example.com or call +49 170 1234567, card 4111 1111 1111 1111.", "From ann@example.com", "acme"
    )
    trace, agent = rehearsed(ticket)
    whole, masked = (save(trace, agent.router, without_personal_data=m).decode() for m in (False, True))
    private = ("ann@example.com", "170 1234567", "4111 1111", '"customer_id": "acme"')
    assert all(text in whole for text in private)
    assert not any(text in masked for text in private)
    found = load(masked.encode())
    assert found.without_personal_data
    assert found.trace.ticket.customer_id is None
    assert Total.of(r.cost_usd for r in found.trace.receipts) == Total.of(r.cost_usd for r in trace.receipts)


def test_the_shipped_recordings_are_rehearsals_and_say_so() -> None:
    files = sorted((Path(__file__).parents[1] / "sample_tickets" / "recorded").glob("*.json"))
    found = [load(f.read_bytes(), f.name) for f in files]
    assert len(found) >= 2
    assert {r.origin for r in found} == {"rehearsal"}
    assert [r.notes for r in found] == [()] * len(found)


WHO = ("zyx-gmbh", "Quokka & Söhne 20251", "ann@example.com", 'Wom"bat', "user", "intent", "Acct 99887766554")


@pytest.mark.parametrize("customer", WHO)
def test_without_personal_data_no_byte_says_who_it_was(customer: str) -> None:
    def says(text: str) -> str:
        return text.replace("account", f"account of {customer}")

    mail = "jane.roe@customer.example"
    ticket = Ticket(mail, f"I, {customer}, cannot log in to my account.", f"For {customer.upper()}", customer)
    trace, agent = lived(says, ticket)
    whole, made = (save(trace, agent.router, without_personal_data=m).decode() for m in (False, True))
    assert whole.count(mail) > 5
    assert mail not in made
    found = load(made.encode())
    assert found.notes == ()
    assert found.trace.ticket.id == "ticket"
    if customer not in ("user", "intent"):  # the file's own words
        for form in (customer, json.dumps(customer)[1:-1], customer.upper()):
            assert form not in made
            assert form not in json.dumps(json.loads(made), ensure_ascii=False)
    assert f"I, {customer}," not in found.trace.ticket.text
    assert [p.messages[0].role for s in found.trace.steps for p in s.prompts] == [
        p.messages[0].role for s in trace.steps for p in s.prompts
    ]
