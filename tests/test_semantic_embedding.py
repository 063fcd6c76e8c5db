"""Comparing by meaning: what may be served then, that an embedding goes the same road as any call, and that it is billed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from playground.bill import bills, paid
from playground.caps import Caps, Purse
from playground.embedded_rows import PAUSE_S
from playground.embedders import own_embedder
from playground.equivalents import Ruling
from playground.errors import BadInput, CallFailed, Cancelled, HandedOver
from playground.failover import Failover
from playground.health import Health
from playground.hit_threshold import wide_radius
from playground.ledger import Ledger, Recorder
from playground.loop import climb_line, run_all
from playground.middleware import Middleware, around
from playground.money import Total
from playground.outage import Outage
from playground.patience import Patience
from playground.prices import cost_usd
from playground.recorded import load, save
from playground.recorded.compare import cell_pairs
from playground.records import (
    EMBEDDED,
    Candidate,
    Completion,
    Model,
    Price,
    Rates,
    Request,
    Trace,
    Usage,
)
from playground.retry_budget import RetryBudget
from playground.router import Router
from playground.runtime import EmbeddingRules, Runtime
from playground.sample import as_payload, summed
from playground.semantic_cache import SemanticCache
from playground.watch import Complete, Unwatched, Watch
from playground.worst_case import most_embedded, most_usd, request_usd
from tests.calls import MODEL, USED, Answering, call
from tests.scripted import TICKET, Scripted, make

QUIET = Unwatched()
FIRST, AGAIN = "How do I reset my password?", "how can I reset the passcode, please"
PRICE = Price(Rates(Decimal("0.02"), Decimal(0)), date(2026, 11, 1), "a test")
EMBEDDER = Model("openai/letters", "letters", "Embedding house", PRICE, 8_000, None)
PAID = Usage(7, 0, counted="provider")
PAID_USD = cost_usd(PAID, PRICE)
Vectors = Callable[[str], tuple[float, ...]]


def by_words(text: str) -> tuple[float, ...]:
    """Texts with a word of a meaning lie where that meaning does."""
    meanings = ({"password", "passcode", "login"}, {"card", "cards"}, {"refund", "money"})
    words = set(text.lower().replace("?", "").replace(",", "").split())
    return (0.1, *(float(bool(words & meaning)) for meaning in meanings))


@dataclass
class Embedding:
    """Answers calls for vectors by `vectors`, or raises it, or returns it; anything else by `answer`."""

    vectors: Any = by_words
    answer: Any = field(default_factory=Answering)
    texts: list[str] = field(default_factory=list)

    def __call__(self, request: Request, watch: Watch) -> Completion:
        """Answer one call."""
        if request.output.kind != "vector":
            done: Completion = self.answer(request, watch)
            return done
        (message,) = request.prompt.messages
        self.texts.append(message.content)
        found = self.vectors(message.content) if callable(self.vectors) else self.vectors
        if isinstance(found, Exception):
            raise found
        if isinstance(found, Completion):
            return found
        return Completion("", PAID, "live", 0.05, vectors=(found,))


class Clock:
    """A clock that a test sets."""

    at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def cache(**changes: Any) -> SemanticCache:
    return SemanticCache(**{"provenance": "live", "threshold": 0.9, "embedder": EMBEDDER, **changes})


def ask(by: SemanticCache, text: str, complete: Complete, /, **changes: Any) -> Completion:
    return by.call(call(text, **changes), QUIET, complete)


def test_other_words_of_the_same_meaning_are_a_hit() -> None:
    by, model = cache(), Embedding()
    assert [ask(by, t, model).source for t in (FIRST, AGAIN)] == ["model", "semantic cache"]
    assert model.texts == [FIRST, AGAIN]
    assert by.embedded == 2


@pytest.mark.parametrize(
    "text",
    [
        "How don't I reset my passcode?",
        "How do I reset my 2 passcodes and the login?",
        "Why do I reset my passcode?",
        "How will I reset my passcode still?",
        "How do I reset my passcode from Spain?",
        "Where is my refund?",
        "My passcode 48151623 is gone, how do I reset it?",
        "How do I reset the passcode of sam@example.com?",
    ],
)
def test_what_says_anything_else_is_a_miss(text: str) -> None:
    by, model = cache(), Embedding()
    assert [ask(by, t, model).source for t in (FIRST, text)] == ["model", "model"]


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("die Ware ist heute bei mir angekommen, mein password", "die Ware ist heute nicht bei mir angekommen, mein password"),
        ("on me rembourse ma card", "on ne me rembourse pas ma card"),
        ("I paid for the card two times", "I paid for the card three times"),
        ("I paid for my card once", "I paid for my card twice"),
    ],
)  # fmt: skip
def test_a_negation_of_another_language_or_a_number_in_words_is_no_hit(first: str, other: str) -> None:
    by, model = cache(), Embedding(lambda text: (1.0, 0.0))
    assert [ask(by, t, model).source for t in (first, other)] == ["model", "model"]


def test_what_may_not_be_shared_is_not_embedded() -> None:
    model = Embedding()
    for text in ("Order 48151623 is lost", "Ask sam@example.com", "word " * 500):
        assert ask(cache(), text, model).tries == ()
    assert model.texts == []


def test_what_must_be_equal_is_so_by_meaning_too() -> None:
    others: tuple[dict[str, Any], ...] = (
        {"customer": "other"}, {"system": "Sort it well."}, {"model": replace(MODEL, id="openai/other")},
    )  # fmt: skip
    for more in others:
        by, model = cache(), Embedding()
        assert [ask(by, FIRST, model).source, ask(by, AGAIN, model, **more).source] == ["model", "model"]


def test_neighbours_up_to_twice_as_far_away_must_agree() -> None:
    at: Mapping[str, tuple[float, ...]] = {
        FIRST: (1.0, 0.0), AGAIN: (0.99, 0.141), "How do I change my card?": (0.8, 0.6),
        "How do I block my card?": (0.75, 0.66),
    }  # fmt: skip
    near, far = list(at)[2:]
    assert wide_radius(0.9) == 0.8
    for text, source in ((near, "model"), (far, "model")):
        by, model = cache(), Embedding(at.__getitem__)
        ask(by, FIRST, model)
        model.answer = Answering('{"label": "money"}')
        ask(by, text, model)
        assert ask(by, AGAIN, model).source == source
    by, model = cache(threshold=0.95), Embedding(at.__getitem__)
    ask(by, FIRST, model)
    model.answer = Answering('{"label": "money"}')
    ask(by, far, model)
    assert ask(by, AGAIN, model).source == "semantic cache"


def test_a_text_that_is_asked_for_again_is_not_embedded_again() -> None:
    by, model = cache(), Embedding()
    ask(by, FIRST, model)
    other = ask(by, FIRST, model, model=replace(MODEL, id="openai/other"))
    assert (other.source, other.tries, model.texts) == ("model", (), [FIRST])
    by.forget("acme")
    assert len(ask(by, FIRST, model).tries) == 1


def test_a_tenant_is_forgotten_with_its_vectors() -> None:
    by, model = cache(), Embedding()
    ask(by, FIRST, model)
    assert by.forget("acme") == 1
    assert ask(by, AGAIN, model).source == "model"


def test_by_meaning_only_labels_are_served_and_a_threshold_is_needed() -> None:
    with pytest.raises(BadInput, match="only labels are served, and draft writes a text"):
        cache(stages=("intent", "draft"))
    with pytest.raises(BadInput, match="no threshold for embeddings"):
        cache(threshold=None)
    unlabelled, model = cache(), Embedding(answer=Answering('{"kind": "card"}'))
    spec = replace(call().output, schema=None, checks=())
    assert [ask(unlabelled, t, model, output=spec).source for t in (FIRST, AGAIN)] == ["model", "model"]


# What it costs


def test_what_was_paid_stands_before_a_hit_and_before_a_miss() -> None:
    by, model = cache(), Embedding()
    miss, hit = ask(by, FIRST, model), ask(by, AGAIN, model)
    for done in (miss, hit):
        (paid_for,) = done.tries
        assert (paid_for.kind, paid_for.rule, paid_for.candidate) == (None, EMBEDDED, Candidate(EMBEDDER))
        assert paid_for.partial is not None
        assert paid_for.partial.usage == PAID
    assert (hit.saved, hit.usage.input_tokens) == (USED, 0)


@pytest.mark.parametrize(
    ("stop", "kind"),
    [
        (CallFailed("server", "It fell over."), CallFailed),
        (Cancelled(), Cancelled),
        (HandedOver("run cap", "No."), HandedOver),
    ],
)
def test_what_was_paid_is_kept_where_the_call_does_not_end_well(stop: Exception, kind: type[CallFailed]) -> None:
    with pytest.raises(kind) as raised:
        ask(cache(), FIRST, Embedding(answer=Answering(stop)))
    assert [t.rule for t in raised.value.tries] == [EMBEDDED]


TIMED_OUT = CallFailed("timeout", "No answer in time.", Completion("", Usage(9, 0), "live", 5.0))


@pytest.mark.parametrize(
    ("bad", "tries", "says"),
    [
        (
            CallFailed("rate_limit", "Limits calls."),
            ["rate_limit"],
            "Limits calls. The semantic cache rests for a minute.",
        ),
        (TIMED_OUT, ["timeout"], "No answer in time. The semantic cache rests"),
        (RuntimeError("sk-secret"), [], "The embedding failed."),
        ((0.0, 0.0, 0.0, 0.0), [None], "without a direction"),
        ((float("nan"), 1.0, 1.0, 1.0), [None], "without a direction"),
        ((1e39, 1.0, 1.0, 1.0), [None], "without a direction"),
        ((1.0,), [None], "not as long as the others"),
        (Completion("", PAID, "live", vectors=((1.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0))), [None], "no vector"),
        (Completion("", PAID, "live", vectors=((1.0, 0.0), (1.0,))), [None], "no vector"),
        (Completion("", PAID, "live"), [None], "no vector"),
    ],
    ids=repr,
)
def test_an_embedding_that_fails_is_a_miss_and_rests_for_a_minute(bad: Any, tries: list[Any], says: str) -> None:
    clock = Clock()
    by, model = cache(now=clock), Embedding()
    ask(by, FIRST, model)
    model.vectors = bad
    failed = ask(by, AGAIN, model)
    assert (failed.source, [t.kind for t in failed.tries]) == ("model", tries)
    assert all(t.rule == EMBEDDED for t in failed.tries)
    assert ask(by, AGAIN, model).tries == ()
    assert by.embedded == 2
    assert says in by.problem
    assert "sk-secret" not in by.problem
    clock.at += PAUSE_S
    assert not by.problem
    model.vectors = by_words
    assert ask(by, AGAIN, model).source == "semantic cache"
    assert not by.problem


def test_a_ticket_that_is_cancelled_while_it_is_embedded_is_billed_for_it() -> None:
    arrived = Completion("", Usage(9, 0), "live", 0.2)
    with pytest.raises(Cancelled) as raised:
        ask(cache(), FIRST, Embedding(Cancelled(partial=arrived)))
    stop = raised.value
    assert (stop.partial, stop.candidate, stop.rule) == (arrived, Candidate(EMBEDDER), EMBEDDED)


# In a run


def trace_of(model: Complete, *parts: Middleware, **changes: Any) -> Trace:
    agent = replace(make(model), middleware=parts)  # type: ignore[arg-type]
    return run_all(agent, replace(TICKET, **changes), "kr-auto")


OTHERWISE = {"id": "t2", "text": "I want money back for the topic 3"}


def test_the_receipts_of_a_run() -> None:
    by, model = cache(), Embedding(lambda text: (1.0, 0.0), Scripted())
    first, second = trace_of(model, by), trace_of(model, by, **OTHERWISE)
    for trace in (first, second):
        embedded = [r for r in trace.receipts if r.embedded]
        assert [(r.stage, r.model, r.provider, r.attempt) for r in embedded] == [
            ("intent", "letters", "Embedding house", 1)
        ]
        assert [(r.cost_usd, r.outcome, r.failure, r.usage) for r in embedded] == [(PAID_USD, "ok", None, PAID)]
        assert climb_line(trace.steps[0]) == ""
        assert len(trace.steps[0].asked) == 1
    served = second.steps[0].asked[0].receipt
    assert (served.source, served.cost_usd, served.attempt) == ("semantic cache", 0, 2)
    assert served.saved_usd == first.steps[0].asked[0].receipt.cost_usd
    assert Total.of(r.cost_usd for r in second.steps[0].receipts).known_usd == PAID_USD


def test_plans_are_compared_on_the_answer_and_the_bill_holds_the_embedding() -> None:
    by, model = cache(), Embedding(lambda text: (1.0, 0.0), Scripted())
    trace = trace_of(model, by)
    without = trace_of(Scripted())
    router = make().router
    with_it, plain = bills(trace, router), bills(without, router)
    assert with_it["before"].total == plain["before"].total
    assert with_it["kr-auto"].total.known_usd - plain["kr-auto"].total.known_usd == PAID_USD
    assert with_it["kr-auto"].failed.known_usd == 0
    assert paid(trace).total == with_it["kr-auto"].total


def test_a_failed_answer_says_what_happened_to_it_and_not_to_the_embedding() -> None:
    model = Scripted(lambda request: CallFailed("server", "It fell over."))
    step = trace_of(Embedding(by_words, model), cache()).steps[0]
    assert "It fell over." in step.message
    assert "letters" not in step.message
    # The second rung asks with the same vector.
    assert [a.receipt.embedded for a in step.attempts].count(True) == 1


def test_runs_side_by_side_differ_by_who_answered() -> None:
    one = trace_of(Embedding(by_words, Scripted()), cache())
    intent = next(p for p in cell_pairs(one, one) if p.stage == "intent")
    assert intent.first is not None
    assert intent.first.answered_by == (one.steps[0].decision.chosen.key,)


def test_the_ledger_adds_up_and_compares_the_answer_alone() -> None:
    by, scripted = cache(), Scripted()
    agent = make(Embedding(lambda text: (1.0, 0.0), scripted))  # type: ignore[arg-type]
    book = Ledger(None)
    try:
        record = Recorder(book, agent.router, "ticket", "live")
        trace = run_all(replace(agent, middleware=(by,), record=record), TICKET, "kr-auto")
        (whole,) = book.spend(())
        assert whole.total == Total.of(r.cost_usd for r in trace.receipts)
        assert whole.before == bills(trace, agent.router)["before"].total
        kept = next(k for k in book.entries() if k.entry.receipt.embedded)
        assert kept.entry.before_usd == 0
        assert not book.events()
    finally:
        book.close()


# Failover, an outage and caps


def failover(**changes: Any) -> Failover:
    usual: dict[str, Any] = {
        "equivalents": {}, "allowed": lambda request, candidate: Ruling(True, "it may"), "health": Health(),
        "budget": RetryBudget(), "patience": Patience(repeats=1), "sleep": lambda s: None, "jitter": lambda: 0.0,
    }  # fmt: skip
    return Failover(**{**usual, **changes})


def test_nobody_stands_in_for_an_embedder() -> None:
    other = Candidate(replace(MODEL, name="other"))
    rungs = replace(call(FIRST), rungs=(other,))
    model = Embedding(CallFailed("server", "It fell over."))
    by = failover(equivalents={"letters": (other,)})
    done = cache().call(rungs, QUIET, around((by,), model))
    assert done.source == "model"
    assert [(t.candidate.model.name, t.kind, t.rule) for t in done.tries] == [("letters", "server", EMBEDDED)] * 2


def test_a_provider_that_is_down_is_not_asked_for_vectors() -> None:
    by = failover()
    by.health.take_down("Embedding house")
    model = Embedding()
    done = cache().call(call(FIRST), QUIET, around((by,), model))
    assert (done.source, [t.kind for t in done.tries], model.texts) == ("model", ["down"], [])
    outage = Outage(frozenset({"Embedding house"}), sleep=lambda s: None)
    done = cache().call(call(FIRST), QUIET, around((failover(), outage), model))
    assert (done.source, [t.kind for t in done.tries], model.texts) == ("model", ["timeout"], [])


SAME = replace(EMBEDDER, provider="Fake")
"""At the provider that answers, too."""


def test_a_limit_on_embeddings_does_not_stop_the_answer_at_the_same_provider() -> None:
    by = failover(patience=Patience(repeats=0))
    model = Embedding(CallFailed("rate_limit", "Limits calls.", retry_after_s=30.0))
    done = cache(embedder=SAME).call(call(FIRST), QUIET, around((by,), model))
    assert (done.source, [t.kind for t in done.tries]) == ("model", ["rate_limit"])
    assert by.health.standing("Fake").state == "closed"


def test_an_embedding_that_arrives_does_not_hide_that_answers_fail() -> None:
    by, seen = failover(patience=Patience(repeats=0)), cache(embedder=SAME)
    model = Embedding(answer=Answering(CallFailed("server", "It fell over.")))
    for word in ("card", "refund", "login"):
        with pytest.raises(CallFailed):
            seen.call(call(f"Where is the {word}"), QUIET, around((by,), model))
    assert by.health.standing("Fake").state == "open"
    with pytest.raises(CallFailed, match="is down") as raised:
        seen.call(call("Where is the invoice"), QUIET, around((by,), model))
    assert [t.kind for t in raised.value.tries] == ["down"]
    assert len(model.texts) == 3


MOST_USD = Decimal(most_embedded([FIRST])) * Decimal("0.02") / 1_000_000


def test_a_cap_sets_aside_the_most_that_an_embedding_can_cost() -> None:
    seen: list[Request] = []

    def complete(request: Request, watch: Watch) -> Completion:
        seen.append(request)
        return Embedding()(request, watch)

    cache().call(call(FIRST), QUIET, complete)
    assert request_usd(seen[0]) == MOST_USD
    assert PAID_USD is not None
    assert MOST_USD > PAID_USD


@pytest.mark.parametrize("text", ["ü" * 50, "नमस्ते दुनिया", "a", "\U0001f600" * 9, "\ud800 broken"])
def test_no_tokenizer_makes_more_of_a_text_than_that(text: str) -> None:
    from playground.tokens import count

    assert count(text) <= most_embedded([text])


def test_a_cap_that_has_room_for_the_embedding_alone_holds_the_call_back_and_keeps_what_was_paid() -> None:
    purse, model = Purse(MOST_USD), Embedding()
    with pytest.raises(HandedOver) as raised:
        cache().call(call(FIRST), QUIET, around((Caps(run=purse),), model))
    assert [t.rule for t in raised.value.tries] == [EMBEDDED]
    assert purse.spent_usd == PAID_USD
    assert model.answer.calls == 0


@pytest.mark.parametrize("capped", [Caps(call_usd=Decimal(0)), Caps(run=Purse(Decimal(0)))])
def test_a_cap_of_zero_lets_no_embedding_out(capped: Caps) -> None:
    model = Embedding()
    with pytest.raises(HandedOver, match="zero"):
        cache().call(call(FIRST), QUIET, around((capped,), model))
    assert model.texts == []


def test_an_embedder_without_a_price_is_a_miss_under_a_cap_and_the_call_goes_out() -> None:
    purse, model = Purse(Decimal(1)), Embedding()
    by = cache(embedder=replace(EMBEDDER, price=None))
    done = by.call(call(FIRST), QUIET, around((Caps(run=purse),), model))
    assert (done.source, done.tries, model.texts) == ("model", (), [])
    assert not by.problem, "a ticket's cap is no reason to let the others wait"


def test_what_caps_enter_is_what_the_receipts_say() -> None:
    purse, scripted = Purse(Decimal(10)), Scripted()
    by = cache()
    traces = [
        trace_of(Embedding(lambda text: (1.0, 0.0), scripted), by, Caps(run=purse), **more) for more in ({}, OTHERWISE)
    ]
    assert purse.spent_usd == Total.of(r.cost_usd for t in traces for r in t.receipts).exact_usd
    assert purse.unsure_usd == 0


def test_tickets_side_by_side_cross_no_cap_with_their_embeddings() -> None:
    purse, model = Purse(Decimal("0.004")), Embedding()
    by = cache(threshold=1.0)

    def one(n: int) -> Decimal:
        words = f"Where is the {'abcdefghij'[n % 10] * (5 + n // 10)}"
        try:
            done = by.call(call(words), QUIET, around((Caps(run=purse),), model))
            tries, own = done.tries, cost_usd(done.usage, MODEL.price)
        except HandedOver as held:
            tries, own = held.tries, Decimal(0)
        found = [cost_usd(t.partial.usage, PRICE) for t in tries if t.partial is not None]
        return sum((c for c in (*found, own) if c is not None), Decimal(0))

    with ThreadPoolExecutor(8) as pool:
        costs = list(pool.map(one, range(60)))
    assert sum(costs) == purse.spent_usd <= purse.cap_usd
    assert purse.over_usd == 0
    assert 0 < model.answer.calls < 60


# What else reads a run


OWN = own_embedder("letters", "http://10.1.2.3:8000/v1", Decimal("0.02"))


@pytest.mark.parametrize("embedder", [EMBEDDER, OWN])
def test_a_recording_holds_the_embedding_and_no_address(embedder: Model) -> None:
    rules = EmbeddingRules("openai/letters", 0.9, 100, 60, 0, endpoint=OWN.endpoint)
    agent = make(Embedding(by_words, Scripted()))  # type: ignore[arg-type]
    flow = replace(agent.pipeline, runtime=Runtime(semantic_cache=0.8, semantic_embedding=rules))
    trace = run_all(replace(agent, middleware=(cache(embedder=embedder),)), TICKET, "kr-auto")
    router = Router(flow, agent.router.catalog, agent.router.evidence, agent.router.settings, ())
    raw = save(trace, router)
    assert b"10.1.2.3" not in raw
    found = load(raw, "run.json")
    assert [r.embedded for r in found.trace.receipts] == [r.embedded for r in trace.receipts]
    assert [r.cost_usd for r in found.trace.receipts] == [r.cost_usd for r in trace.receipts]


def test_a_sample_counts_an_embedding_as_money_and_not_as_an_answer() -> None:
    trace = trace_of(Embedding(by_words, Scripted()), cache())
    plain = trace_of(Scripted())
    with_it, without = (summed([as_payload(t, 6)]) for t in (trace, plain))
    assert with_it.spent_usd - without.spent_usd == PAID_USD
    assert with_it.output_tokens == without.output_tokens
    assert not [r for r in as_payload(trace, 6)["receipts"] if "instead_of" in r]


def test_the_most_that_a_ticket_can_cost_has_its_embedding() -> None:
    agent = make()
    inputs = [500] * len(agent.pipeline.stages)
    rules = EmbeddingRules("text-embedding-3-small", 0.9, 100, 60, 0)
    found = [
        most_usd(make(pipeline=replace(agent.pipeline, runtime=runtime)).router, TICKET, inputs, "kr-auto")
        for runtime in (
            Runtime(),
            Runtime(semantic_embedding=rules),
            Runtime(semantic_cache=0.8, semantic_embedding=rules),
            Runtime(semantic_cache=0.8, semantic_embedding=replace(rules, model="gone")),
        )
    ]
    assert None not in found
    assert found[0] == found[1] == found[3]
    more = Decimal(most_embedded(["Refund\nWhere is my refund for topic 3?"])) * Decimal("0.02") / 1_000_000
    assert (found[2] or 0) - (found[0] or 0) == more


def test_an_embedding_that_failed_does_not_make_a_ticket_unanswered() -> None:
    bad = Embedding(CallFailed("auth", "Refused the key."), Scripted(lambda request: "no JSON"))
    payload = as_payload(trace_of(bad, cache()), 6)
    assert not payload.get("partial")
    assert payload["stopped_at"] == "intent"
