"""A call that was made before, to the letter, is answered with what came back then, and costs nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.answer_store import Answers, Held
from playground.cache import ExactCache, by_customer, call_key, one_tenant
from playground.errors import CallFailed, Cancelled
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.records import Candidate, Completion, OutputSpec, Request, Try, Usage
from playground.watch import Unwatched, Watch
from playground.workshop import make_agent, make_router
from tests.calls import MODEL, USED, Answering, call
from tests.scripted import TICKET, Scripted, make

QUIET = Unwatched()


@dataclass
class Hearing(Unwatched):
    """Keeps what it is told."""

    heard: list[str] = field(default_factory=list)

    def text(self, request: Request, chunk: str) -> None:
        """Keep a piece."""
        self.heard.append(chunk)


@pytest.fixture
def answers() -> Iterator[Answers]:
    with closing(Answers(None)) as opened:
        yield opened


def cached(answers: Answers) -> ExactCache:
    return ExactCache(answers, "live")


def test_the_second_call_is_answered_with_what_the_first_got_and_costs_nothing(answers: Answers) -> None:
    cache, model, watch = cached(answers), Answering(), Hearing()
    first = cache.call(call(), watch, model)
    second = cache.call(call(), watch, model)
    assert model.calls == 1
    assert first == Completion('{"label": "card"}', USED, "live", 0.5, 0.1)
    assert second.latency_s is not None
    assert 0 < second.latency_s < 0.5
    assert second == replace(
        first,
        usage=Usage(0, 0, counted="provider"),
        latency_s=second.latency_s,
        first_token_s=second.latency_s,
        source="exact cache",
        saved=USED,
    )
    assert watch.heard == ['{"label": "card"}']


def test_the_receipts_of_a_cached_run_say_what_was_saved(answers: Answers) -> None:
    model = Scripted()
    agent = replace(make(model), middleware=(cached(answers),))
    first, second = (run_all(agent, TICKET, "kr-auto") for _ in range(2))
    assert len(model.requests) == len(first.receipts) == len(second.receipts) == 8
    assert [s.output for s in second.steps] == [s.output for s in first.steps]
    for paid, free in zip(first.receipts, second.receipts, strict=True):
        assert (paid.source, paid.saved, paid.saved_usd) == ("model", None, None)
        assert (free.source, free.cost_usd, free.provenance) == ("exact cache", Decimal(0), "live")
        assert (free.saved, free.saved_usd) == (paid.usage, paid.cost_usd)
        assert free.saved_usd


def test_a_rehearsal_fills_and_uses_a_cache_of_its_own(answers: Answers) -> None:
    agent = make_agent(make_router(load_shipped("support")))
    agent = replace(agent, middleware=(ExactCache(answers, "rehearsal"),))
    first, second = (run_all(agent, TICKET, "kr-auto") for _ in range(2))
    assert {r.source for r in first.receipts if r.outcome == "ok"} == {"model"}
    assert {r.source for r in second.receipts if r.outcome == "ok"} == {"exact cache"}
    assert [s.output for s in second.steps] == [s.output for s in first.steps]
    live = Answering()
    assert cached(answers).call(call(), QUIET, live).provenance == "live"
    assert live.calls == 1


def test_a_rehearsed_answer_is_never_served_to_a_live_run(answers: Answers) -> None:
    rehearsed, live = Answering(provenance="rehearsal"), Answering()
    ExactCache(answers, "rehearsal").call(call(), QUIET, rehearsed)
    assert cached(answers).call(call(), QUIET, live).source == "model"
    # An answer of another provenance than the run's is not kept at all.
    cached(answers).call(call("Another."), QUIET, rehearsed)
    assert cached(answers).call(call("Another."), QUIET, live).source == "model"


OTHER_CALLS: dict[str, Callable[[Request], Request]] = {
    "model": lambda r: replace(r, candidate=Candidate(replace(MODEL, id="openai/other"))),
    "provider": lambda r: replace(r, candidate=Candidate(replace(MODEL, provider="Other"))),
    "endpoint": lambda r: replace(r, candidate=Candidate(replace(MODEL, endpoint="http://127.0.0.1:1"))),
    "effort": lambda r: replace(r, candidate=Candidate(MODEL, "high")),
    "words": lambda r: replace(r, prompt=call("Where is my card").prompt),
    "system message": lambda r: replace(r, prompt=call(system="Sort it well.").prompt),
    "roles": lambda r: replace(r, prompt=replace(r.prompt, messages=r.prompt.messages[::-1])),
    "schema": lambda r: replace(r, output=replace(r.output, schema={"type": "object"})),
    "kind of output": lambda r: replace(r, output=OutputSpec("text")),
    "most tokens": lambda r: replace(r, max_output_tokens=201),
    "stage": lambda r: replace(r, prompt=replace(r.prompt, stage="check")),
    "tenant": lambda r: replace(r, context=replace(r.context, ticket=replace(r.context.ticket, customer_id="other"))),
}


@pytest.mark.parametrize("change", OTHER_CALLS)
def test_another_call_is_a_miss(answers: Answers, change: str) -> None:
    cache, model = cached(answers), Answering()
    cache.call(call(), QUIET, model)
    assert cache.call(OTHER_CALLS[change](call()), QUIET, model).source == "model"


def test_what_cannot_change_an_answer_is_no_part_of_the_key() -> None:
    other = replace(call(), timeout_s=1.0, quality=0.5, context=replace(call().context, ticket=call().context.ticket))
    assert call_key(other, "live", "acme") == call_key(call(), "live", "acme")
    assert call_key(other, "rehearsal", "acme") != call_key(call(), "rehearsal", "acme")
    assert call_key(call(), "live", "acme") != call_key(call(), "recorded", "acme")


@pytest.mark.parametrize(
    "model",
    [
        Answering('{"label": "unheard of"}'),
        Answering('{"label": "ca'),
        Answering("", finish_reason="stop"),
        Answering(finish_reason="length"),
        Answering(finish_reason="content_filter"),
        Answering(candidate=Candidate(replace(MODEL, id="openai/equivalent")), rule="an equivalent"),
        Answering(source="semantic cache"),
    ],
    ids=["unknown label", "cut JSON", "empty", "cut", "filtered", "another model's", "cached elsewhere"],
)
def test_an_answer_that_may_not_be_served_again_is_not_kept(answers: Answers, model: Answering) -> None:
    cache = cached(answers)
    for _ in range(2):
        cache.call(call(), QUIET, model)
    assert (model.calls, answers.held()) == (2, Held(0, 0))


def test_a_failed_call_is_not_kept_and_keeps_its_tries(answers: Answers) -> None:
    failure = CallFailed("server", "It fell over.", tries=(Try(Candidate(MODEL), "server", "It fell over."),))
    for error in (failure, Cancelled()):
        with pytest.raises(type(error)) as raised:
            cached(answers).call(call(), QUIET, Answering(error))
        assert raised.value is error
    assert cached(answers).call(call(), QUIET, Answering()).source == "model"


def test_what_was_kept_is_checked_again_when_it_is_served(answers: Answers) -> None:
    cache, model = cached(answers), Answering()
    cache.call(call(), QUIET, model)
    changed = replace(call(), context=replace(call().context, labels={"money": ""}))
    assert cache.call(changed, QUIET, model).source == "model"
    assert cache.call(call(), QUIET, model).source == "exact cache"


def test_tenants_may_be_customers_or_one(answers: Answers) -> None:
    model, shared = Answering(), ExactCache(answers, "live", one_tenant("us"))
    assert by_customer(call(customer=None).context.ticket) == ""
    sources = [shared.call(call(customer=c), QUIET, model).source for c in ("a", "b", None)]
    assert sources == ["model", "exact cache", "exact cache"]
    assert answers.forget("us") == 1
    assert shared.call(call(), QUIET, model).source == "model"


TEXTS = st.sampled_from(["one", "two", "three"]) | st.text(min_size=1, max_size=5)


@given(st.lists(st.tuples(TEXTS, st.sampled_from(["a", "b", "\ud800", None]), st.text(max_size=3)), max_size=30))
@settings(deadline=None, max_examples=60)
def test_a_hit_is_what_was_stored_for_this_tenant_and_text(asked: list[tuple[str, str | None, str]]) -> None:
    """The model writes something new each time, so a hit across tenants or texts would show."""
    plain: dict[tuple[str, str | None], str] = {}
    with closing(Answers(None)) as answers:
        cache = cached(answers)
        for n, (text, customer, said) in enumerate(asked):
            new = f"{n} {said}"
            done = cache.call(call(text, customer, output=OutputSpec("text")), QUIET, Answering(new))
            assert (done.source == "exact cache") == ((text, customer) in plain)
            assert done.text == plain.setdefault((text, customer), new)
        assert (answers.held().answers, answers.problem) == (len(plain), "")


# Equal calls at the same time


@dataclass
class Slow:
    """Answers when it is let go; `started` is set when the first call is under way."""

    outcomes: list[str | Exception]
    started: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    calls: int = 0

    def __call__(self, request: Request, watch: Watch) -> Completion:
        """Answer one call."""
        outcome = self.outcomes[self.calls]
        self.calls += 1
        self.started.set()
        assert self.go.wait(10)
        return Answering(outcome)(request, watch)


def at_the_same_time(cache: ExactCache, model: Slow, watches: list[Watch], request: Request) -> list[Any]:
    """What comes of one call and of those that come while it is under way."""
    with ThreadPoolExecutor(len(watches)) as pool:
        running = [pool.submit(cache.call, request, watches[0], model)]
        assert model.started.wait(10)
        running += [pool.submit(cache.call, request, watch, model) for watch in watches[1:]]
        threading.Timer(0.2, model.go.set).start()
        return [r.exception() or r.result() for r in running]


def test_of_equal_calls_at_the_same_time_one_goes_out(answers: Answers) -> None:
    model = Slow(['{"label": "card"}'])
    done = at_the_same_time(cached(answers), model, [QUIET] * 6, call())
    assert [d.source for d in done] == ["model"] + ["exact cache"] * 5
    assert {d.text for d in done} == {'{"label": "card"}'}
    assert [d.saved for d in done[1:]] == [USED] * 5
    assert all(d.latency_s > 0.1 for d in done[1:])


@pytest.mark.parametrize("first", [CallFailed("server", "It fell over."), Cancelled(), '{"label": "?"}'], ids=repr)
def test_where_the_first_brings_nothing_the_others_go_out_themselves(answers: Answers, first: str | Exception) -> None:
    model = Slow([first, '{"label": "card"}', '{"label": "card"}'])
    done = at_the_same_time(cached(answers), model, [QUIET] * 3, call())
    assert done[0] is first or done[0].text == first
    assert [d.source for d in done[1:]] == ["model", "model"]
    assert cached(answers).call(call(), QUIET, model).source == "exact cache"


def test_one_who_waits_may_leave_and_waits_no_longer_than_a_call_may_take(answers: Answers) -> None:
    class Leaving(Unwatched):
        def cancelled(self) -> bool:
            return True

    model = Slow(['{"label": "card"}'])
    done = at_the_same_time(cached(answers), model, [QUIET, Leaving()], call())
    assert isinstance(done[1], Cancelled)
    model = Slow(['{"label": "card"}'] * 2)
    hasty = replace(call("Another."), timeout_s=0.01)
    done = at_the_same_time(cached(answers), model, [QUIET] * 2, hasty)
    assert [d.source for d in done] == ["model", "model"]


def test_calls_of_many_threads_are_each_made_once(answers: Answers) -> None:
    cache, model = cached(answers), Answering()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: cache.call(call(f"Ticket {n % 25}"), QUIET, model), range(400)))
    assert sum(d.source == "model" for d in done) == answers.held().answers == 25
