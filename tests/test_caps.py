"""Caps: what is set aside, what is entered, who waits, who is held back, and that no interleaving crosses one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import tickets
from playground.caps import Caps, Purse, Tickets
from playground.equivalents import Ruling
from playground.errors import BadInput, CallFailed, Cancelled, HandedOver
from playground.expected_cost import ticket_usd
from playground.failover import Failover
from playground.health import Health
from playground.local import endpoint_models
from playground.loop import Agent, run, run_all
from playground.middleware import Middleware, around
from playground.options import Settings
from playground.patience import Patience
from playground.pipeline import load_shipped
from playground.prices import cost_usd
from playground.records import (
    Candidate,
    Completion,
    Context,
    Counted,
    Model,
    OutputSpec,
    Plan,
    Price,
    Prompt,
    Rates,
    Request,
    Ticket,
    Try,
    Usage,
)
from playground.retry_budget import RetryBudget
from playground.watch import Stopping, Unwatched, Watch
from playground.workshop import make_agent, make_router
from playground.worst_case import OTHER_TOKENIZERS, PRIVATE_TOKENIZERS, request_usd

WAIT_S = 20
TICKET = Ticket("t", "x")
RATES = Rates(Decimal(1), Decimal(10))


def candidate(name: str = "a", rates: Rates | None = RATES, provider: str = "Acme", **more: object) -> Candidate:
    price = None if rates is None else Price(rates, date(2026, 1, 1), "test")
    return Candidate(replace(Model(name, name, provider, price, None, None), **more))  # type: ignore[arg-type]


A = candidate()


def request(asked: Candidate = A, tokens: int = 100, most_out: int = 80, output: OutputSpec | None = None) -> Request:
    prompt = Prompt("intent", 1, (), tokens, 0)
    return Request(asked, prompt, output or OutputSpec("text"), most_out, 40, Context(TICKET, {}, ()))


MOST = Decimal("0.001")
"""What the request above can cost: 200 tokens in, 80 out."""
COST = Decimal("0.0003")
"""What the answer below costs: 100 tokens in, 20 out."""
ANSWER = Completion("yes", Usage(100, 20, counted="provider"), "live")


def answers(asked: Request, watch: Watch) -> Completion:
    return ANSWER


def opened(caps: Caps, plan: Plan = "kr-auto") -> Middleware:
    return caps.opened(TICKET, plan, ())


def held(part: Middleware, asked: Request | None = None) -> HandedOver:
    def never(asked: Request, watch: Watch) -> Completion:
        raise AssertionError("a call went out beyond a cap")

    with pytest.raises(HandedOver) as found:
        part.call(asked or request(), Unwatched(), never)
    return found.value


# The most a call can cost


def test_the_most_is_the_input_with_a_margin_and_the_longest_answer() -> None:
    assert request_usd(request()) == MOST == Decimal(100 * int(PRIVATE_TOKENIZERS) * 1 + 80 * 10) / 1_000_000


def test_only_openai_s_own_counts_are_near() -> None:
    own, elsewhere = candidate(provider="OpenAI"), candidate(provider="OpenAI", endpoint="http://here/v1")
    assert request_usd(request(own)) == Decimal(int(100 * OTHER_TOKENIZERS) + 800) / 1_000_000
    assert request_usd(request(elsewhere)) == MOST


def test_a_schema_is_sent_and_counted() -> None:
    schema = {"type": "object", "properties": {"label": {"type": "string"}}}
    more = request_usd(request(output=OutputSpec("json", schema)))
    assert more is not None
    assert more > MOST
    assert request_usd(request(output=OutputSpec("json"))) == MOST


def test_the_dearest_rate_that_may_apply_is_taken() -> None:
    rates = replace(RATES, cache_write_usd_per_mtok=Decimal("1.25"), reasoning_usd_per_mtok=Decimal(12))
    assert request_usd(request(candidate(rates=rates))) == Decimal(250 + 960) / 1_000_000
    cheap = replace(RATES, cache_write_usd_per_mtok=Decimal(0), cache_read_usd_per_mtok=Decimal("0.1"))
    assert request_usd(request(candidate(rates=cheap))) == MOST


def test_a_tier_that_the_margin_may_reach_is_counted() -> None:
    tiered = Price(RATES, date(2026, 1, 1), "test", ((150, Rates(Decimal(2), Decimal(20))),))
    asked = request(Candidate(replace(A.model, price=tiered)))
    assert request_usd(asked) == 2 * MOST
    assert request_usd(replace(asked, prompt=replace(asked.prompt, input_tokens=70))) == Decimal(140 + 800) / 1_000_000


@given(
    tokens=st.integers(0, 300_000),
    share=st.floats(0, 1),
    grows=st.floats(0, 1),
    cached=st.floats(0, 1),
    thought=st.floats(0, 1),
)
def test_no_bill_within_the_margin_is_above_the_most(
    tokens: int, share: float, grows: float, cached: float, thought: float
) -> None:
    for model in make_router(load_shipped("support")).catalog.models:
        asked = request(Candidate(model), tokens, 5000)
        most = request_usd(asked)
        given_ = int(
            tokens * (1 + grows * ((OTHER_TOKENIZERS if model.provider == "OpenAI" else PRIVATE_TOKENIZERS) - 1))
        )
        out = int(5000 * share)
        read = int(given_ * cached / 2)
        usage = Usage(given_, out, read, int((given_ - read) * cached), int(out * thought))
        cost = cost_usd(usage, model.price)
        assert (most is None) == (cost is None)
        assert most is None or cost is None or cost <= most, model.name


# One cap


def test_without_caps_nothing_is_held() -> None:
    assert opened(Caps()).call(request(candidate(rates=None)), Unwatched(), answers) == ANSWER


@pytest.mark.parametrize(
    ("caps", "rule", "words"),
    [
        (
            Caps(call_usd=MOST - Decimal("1e-9")),
            "call cap",
            "A call to a can cost up to $0.0010, which could cross the cap on one call: the cap is $0.001000. It was not sent.",
        ),
        (
            Caps(run=Purse(Decimal("0.0009"))),
            "run cap",
            "A call to a can cost up to $0.0010, which could cross the cap on this run: the cap is $0.000900. It was not sent.",
        ),
        (
            Caps(expected=Decimal("0.0003")),
            "cost ceiling",
            "which could cross the cap on this ticket: the cap is $0.000900, 3 times what it should cost. It was not sent.",
        ),
    ],
)
def test_a_call_that_could_cross_a_cap_is_not_sent(caps: Caps, rule: str, words: str) -> None:
    found = held(opened(caps))
    assert found.rule == rule
    assert words in str(found)


@pytest.mark.parametrize("caps", [Caps(call_usd=MOST), Caps(run=Purse(MOST)), Caps(expected=MOST, multiple=Decimal(1))])
def test_a_call_that_just_fits_is_sent(caps: Caps) -> None:
    assert opened(caps).call(request(), Unwatched(), answers) == ANSWER


def test_what_was_spent_is_said() -> None:
    part = opened(Caps(run=Purse(Decimal("0.0012"))))
    part.call(request(), Unwatched(), answers)
    assert "$0.000300 of $0.0012 is spent. It" in str(held(part))


def test_what_may_still_be_billed_is_said_and_kept_free() -> None:
    part = opened(Caps(run=Purse(MOST + COST)))
    with pytest.raises(CallFailed):
        part.call(request(), Unwatched(), raising(CallFailed("timeout", "No.", replace(HALF, usage=Usage(100, 0)))))
    said = "$0.000100 of $0.0013 is spent, and $0.000900 more may be billed for calls that reported no usage."
    assert said in str(held(part))


@pytest.mark.parametrize(
    ("caps", "of"),
    [
        (Caps(call_usd=Decimal(0)), "one call"),
        (Caps(run=Purse(Decimal(0))), "this run"),
        (Caps(expected=Decimal(5), multiple=Decimal(0)), "this ticket"),
    ],
)
def test_a_cap_of_zero_holds_everything_also_what_is_free(caps: Caps, of: str) -> None:
    free = candidate(rates=Rates(Decimal(0), Decimal(0)))
    for asked in (request(), request(free)):
        assert str(held(opened(caps), asked)) == f"The cap on {of} is zero, so no call goes out. Raise it to run."


def test_a_ticket_that_should_be_free_may_use_what_is_free() -> None:
    part, free = opened(Caps(expected=Decimal(0))), candidate(rates=Rates(Decimal(0), Decimal(0)))
    assert part.call(request(free), Unwatched(), answers) == ANSWER
    assert held(part).rule == "cost ceiling"


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "Infinity", "-Infinity", "sNaN"])
@pytest.mark.parametrize(
    "make", [Purse, lambda a: Caps(call_usd=a), lambda a: Caps(expected=a), lambda a: Caps(multiple=a)]
)
def test_what_is_no_amount_is_refused(make: Callable[[Decimal], object], amount: str) -> None:
    with pytest.raises(BadInput, match="must be zero or more, not"):
        make(Decimal(amount))


def test_a_model_without_a_price_cannot_be_held_to_a_cap() -> None:
    unpriced = request(candidate("mine", rates=None))
    found = held(opened(Caps(run=Purse(Decimal(100)))), unpriced)
    assert found.rule == "run cap"
    assert str(found).startswith(
        "mine has no known price, so it cannot be held to a cap on spending and was not called."
    )


def test_a_ticket_whose_cost_is_not_known_is_held() -> None:
    found = held(opened(Caps(expected=lambda ticket, plan: None)))
    assert found.rule == "cost ceiling"
    assert str(found).startswith("What this ticket should cost is not known: a model that it would use has no price")


def test_the_expected_cost_is_asked_once_for_each_ticket() -> None:
    asked: list[tuple[str, Plan]] = []

    def expected(ticket: Ticket, plan: Plan) -> Decimal:
        asked.append((ticket.id, plan))
        return Decimal(1)

    part = opened(Caps(expected=expected), "before")
    part.call(request(), Unwatched(), answers)
    part.call(request(), Unwatched(), answers)
    assert asked == [("t", "before")]


# What is entered


@dataclass
class Spending:
    """One way for a call to end, and what it costs."""

    does: Callable[[Request, Watch], Completion]
    cost: Decimal
    unsure: Decimal = Decimal(0)
    error: type[Exception] | None = None


def raising(error: Exception) -> Callable[[Request, Watch], Completion]:
    def does(asked: Request, watch: Watch) -> Completion:
        raise error

    return does


HALF = Completion("y", Usage(100, 10), "live")
HALF_COST = Decimal("0.0002")
DEAR = candidate("dear", Rates(Decimal(10), Decimal(100)))
TRIED = Try(DEAR, "cut_stream", "", HALF)
ENDS = {
    "answered": Spending(answers, COST),
    "out of a cache": Spending(lambda r, w: replace(ANSWER, source="exact cache"), Decimal(0)),
    "no usage": Spending(lambda r, w: replace(ANSWER, usage=Usage(100, 20)), COST, Decimal("0.0006") - COST),
    "no usage, long": Spending(
        lambda r, w: replace(ANSWER, usage=Usage(100, 79)), Decimal("0.00089"), Decimal("0.00011")
    ),
    "rehearsed": Spending(lambda r, w: replace(ANSWER, usage=Usage(100, 20), provenance="rehearsal"), COST),
    "by another": Spending(lambda r, w: replace(ANSWER, candidate=DEAR), 10 * COST),
    "after tries": Spending(lambda r, w: replace(ANSWER, tries=(TRIED,)), COST + 10 * HALF_COST),
    "refused": Spending(raising(CallFailed("rate_limit", "No.")), Decimal(0), error=CallFailed),
    "cut": Spending(raising(CallFailed("cut_stream", "No.", HALF)), HALF_COST, MOST - HALF_COST, CallFailed),
    "cut elsewhere": Spending(
        raising(CallFailed("cut_stream", "No.", HALF, (TRIED,), last=TRIED)), 20 * HALF_COST, error=CallFailed
    ),
    "cancelled": Spending(raising(Cancelled(partial=HALF)), HALF_COST, MOST - HALF_COST, Cancelled),
    "cancelled before": Spending(raising(Cancelled()), Decimal(0), error=Cancelled),
    "held inside": Spending(raising(HandedOver("x", "", (TRIED,))), 10 * HALF_COST, error=HandedOver),
    "unforeseen": Spending(raising(ValueError("bug")), MOST, error=ValueError),
    "by one without a price": Spending(lambda r, w: replace(ANSWER, candidate=candidate(rates=None)), MOST),
}


@pytest.mark.parametrize("how", ENDS)
def test_however_a_call_ends_what_it_cost_is_entered_and_the_rest_set_free(how: str) -> None:
    end, purse = ENDS[how], Purse(Decimal(1))
    part = opened(Caps(run=purse, expected=Decimal(1), call_usd=Decimal(1)))
    if end.error is None:
        part.call(request(), Unwatched(), end.does)
    else:
        with pytest.raises(end.error):
            part.call(request(), Unwatched(), end.does)
    assert (purse.spent_usd, purse.unsure_usd) == (end.cost, end.unsure)
    assert purse._aside_usd == 0


def test_what_one_cap_refuses_is_set_free_under_the_others() -> None:
    purse = Purse(Decimal(1))
    part = opened(Caps(expected=Decimal(1), run=purse))
    small = replace(part, run=Purse(Decimal("0.0001")))  # type: ignore[type-var]
    assert held(small).rule == "run cap"
    ceiling = part.ticket  # type: ignore[attr-defined]
    assert (ceiling.purse.spent_usd, ceiling.purse._aside_usd) == (0, 0)


def test_a_provider_that_bills_beyond_the_most_shows_and_stops_what_comes_after() -> None:
    purse = Purse(MOST)
    part = opened(Caps(run=purse))
    part.call(request(), Unwatched(), lambda r, w: replace(ANSWER, usage=Usage(100, 500)))
    assert purse.over_usd == purse.spent_usd - MOST > 0
    held(part, request(candidate(rates=Rates(Decimal(0), Decimal(0)))))


def test_each_ticket_has_a_ceiling_of_its_own_and_the_run_is_shared() -> None:
    caps = Caps(expected=Decimal("0.0004"), run=Purse(2 * MOST))
    for _ in range(2):
        part = opened(caps)
        part.call(request(), Unwatched(), answers)
        assert held(part).rule == "cost ceiling"
    assert caps.run is not None
    assert caps.run.spent_usd == 2 * COST


# Side by side


@dataclass
class Gate:
    """A provider that answers when it is told to."""

    cost: Decimal = COST
    inside: int = 0
    go: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self, asked: Request, watch: Watch) -> Completion:
        self.inside += 1
        self.entered.release()
        assert self.go.wait(WAIT_S)
        return ANSWER


def test_a_call_that_fits_but_for_others_waits_for_them() -> None:
    gate, part = Gate(), opened(Caps(run=Purse(MOST + COST)))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(part.call, request(), Unwatched(), gate)
        assert gate.entered.acquire(timeout=WAIT_S)
        second = pool.submit(part.call, request(), Unwatched(), gate)
        time.sleep(0.15)
        assert gate.inside == 1
        gate.go.set()
        assert (first.result(WAIT_S), second.result(WAIT_S)) == (ANSWER, ANSWER)


def test_a_call_that_can_never_fit_does_not_wait() -> None:
    gate, part = Gate(), opened(Caps(run=Purse(MOST)))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(part.call, request(), Unwatched(), gate)
        assert gate.entered.acquire(timeout=WAIT_S)
        assert held(part, request(tokens=101)).rule == "run cap"
        gate.go.set()
        first.result(WAIT_S)


def test_who_waits_can_be_stopped() -> None:
    gate, stop, part = Gate(), threading.Event(), opened(Caps(run=Purse(MOST + COST)))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(part.call, request(), Unwatched(), gate)
        assert gate.entered.acquire(timeout=WAIT_S)
        second = pool.submit(part.call, request(), Stopping(stop), gate)
        stop.set()
        with pytest.raises(Cancelled):
            second.result(WAIT_S)
        assert gate.inside == 1
        gate.go.set()
        first.result(WAIT_S)


class Provider:
    """Lets one waiting call end at a time, in an order that is given, and watches the cap at every entry."""

    def __init__(self, cap: Decimal, order: Sequence[int], ends: Sequence[str]) -> None:
        self.cap, self.order, self.ends = cap, list(order), list(ends)
        self.lock = threading.Lock()
        self.waiting: list[tuple[threading.Event, Decimal]] = []
        self.spent = Decimal(0)
        self.calls = 0

    def __call__(self, asked: Request, watch: Watch) -> Completion:
        go, most = threading.Event(), request_usd(asked)
        assert most is not None
        with self.lock:
            end = self.ends[self.calls % len(self.ends)]
            self.calls += 1
            self.waiting.append((go, most))
            under_way = sum((m for _, m in self.waiting), Decimal(0))
            assert self.spent + under_way <= self.cap, "a call went out that could cross the cap"
        assert go.wait(WAIT_S)
        out = {"longest": asked.max_output_tokens, "short": 1}.get(end, asked.max_output_tokens // 2)
        counted: Counted = "estimate" if end in ("cut", "cancelled") else "provider"
        usage = Usage(asked.prompt.input_tokens * (2 if end == "longest" else 1), out, counted=counted)
        done = Completion("", Usage(0, 0) if end == "refused" else usage, "live")
        with self.lock:
            self.waiting.remove((go, most))
            self.spent += cost_usd(done.usage, asked.candidate.model.price) or 0
        if end == "refused":
            raise CallFailed("server", "No.")
        if end == "cut":
            raise CallFailed("cut_stream", "No.", done)
        if end == "cancelled":
            raise Cancelled(partial=done)
        return done

    def let_go(self, done: Callable[[], bool]) -> None:
        number = 0
        while not done():
            with self.lock:
                if self.waiting:
                    self.waiting[self.order[number % len(self.order)] % len(self.waiting)][0].set()
                    number += 1
            time.sleep(0.0005)


@settings(max_examples=40, deadline=None)
@given(
    cap_calls=st.decimals("0.1", "12", places=1),
    sizes=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 200)), min_size=1, max_size=16),
    order=st.lists(st.integers(0, 15), min_size=1, max_size=20),
    ends=st.lists(st.sampled_from(["longest", "short", "half", "cut", "cancelled", "refused"]), min_size=1, max_size=9),
)
def test_no_interleaving_of_calls_crosses_a_cap(
    cap_calls: Decimal, sizes: list[tuple[int, int]], order: list[int], ends: list[str]
) -> None:
    cap = cap_calls * MOST
    provider, purse = Provider(cap, order, ends), Purse(cap)
    caps = Caps(run=purse)
    refused: list[Decimal] = []

    def one(size: tuple[int, int]) -> None:
        asked = request(tokens=size[0], most_out=size[1])
        try:
            opened(caps).call(asked, Unwatched(), provider)
        except HandedOver:
            refused.append(request_usd(asked) or Decimal(0))
        except (CallFailed, Cancelled):
            pass

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(one, size) for size in sizes]
        provider.let_go(lambda: all(j.done() for j in jobs))
        for job in jobs:
            job.result()
    assert provider.spent == purse.spent_usd <= purse.spent_usd + purse.unsure_usd <= cap
    assert purse._aside_usd == 0
    assert provider.calls + len(refused) == len(sizes)
    taken = purse.spent_usd + purse.unsure_usd
    assert all(taken + most > cap for most in refused), "a call was held back that had room"


# In the loop


def agent(settings: Settings | None = None) -> Agent:
    return make_agent(make_router(load_shipped("support"), settings))


SAMPLES = tuple(tickets.samples().values())


@pytest.mark.parametrize("plan", ["before", "stratified", "kr-auto"])
def test_no_sample_ticket_is_held_at_three_times_its_expected_cost(plan: Plan) -> None:
    book = agent()

    def expected(ticket: Ticket, asked: Plan) -> Decimal | None:
        return ticket_usd(book.router, book.help_centre, book.policies, ticket, asked)

    for ticket in SAMPLES:
        trace = run_all(replace(book, middleware=(Caps(expected=expected),)), ticket, plan)
        assert trace.handover is None
        spent = sum(r.cost_usd or Decimal(0) for r in trace.receipts)
        assert spent <= 3 * (expected(ticket, plan) or 0)
        assert trace == run_all(book, ticket, plan)


def test_the_expected_cost_is_near_what_a_ticket_costs() -> None:
    book = agent(Settings(raise_bars=False))
    for ticket in SAMPLES:
        expected = ticket_usd(book.router, book.help_centre, book.policies, ticket, "before")
        spent = sum(r.cost_usd or Decimal(0) for r in run_all(book, ticket, "before").receipts)
        assert expected is not None
        assert spent / 2 < expected < 2 * spent


def test_without_a_price_there_is_no_expected_cost() -> None:
    (model,) = endpoint_models("http://127.0.0.1:1/v1", ["mine"], None, None)
    router = make_router(load_shipped("support"), catalog=agent().router.catalog.with_model(model))
    pinned = router.but(pins={"draft": model.name})
    book = make_agent(pinned)
    assert ticket_usd(pinned, book.help_centre, book.policies, SAMPLES[0], "kr-auto") is None


def test_the_loop_stops_before_the_call_that_could_cross_and_hands_over() -> None:
    ticket = SAMPLES[0]
    whole = run_all(agent(), ticket, "kr-auto")
    cap = sum((r.cost_usd or Decimal(0) for s in whole.steps[:2] for r in s.receipts), Decimal("0.004"))
    caps = Caps(expected=cap, multiple=Decimal(1))
    trace = run_all(replace(agent(), middleware=(caps,)), ticket, "kr-auto")
    assert trace.handover is not None
    assert trace.handover.rule == "cost ceiling"
    assert "could cross the cap on this ticket" in trace.handover.reason
    assert "respond" not in [s.stage for s in trace.steps]
    assert sum(r.cost_usd or Decimal(0) for r in trace.receipts) <= cap


def test_what_ran_before_counts_towards_the_ceiling() -> None:
    ticket = SAMPLES[0]
    done = tuple(run_all(agent(), ticket, "kr-auto").steps[:4])
    spent = sum((r.cost_usd or Decimal(0) for s in done for r in s.receipts), Decimal(0))
    book = replace(agent(), middleware=(Caps(expected=spent, multiple=Decimal(1)),))
    steps = list(run(book, ticket, "kr-auto", done=done))
    assert steps[0].stage == "respond"
    assert steps[0].handover is not None
    assert not [r for s in steps for r in s.receipts]


def test_a_ticket_that_goes_on_from_a_stage_keeps_what_its_failed_steps_cost_and_may_cost() -> None:
    broken: list[Request] = []

    def breaks(asked: Request, watch: Watch) -> Completion:
        if asked.prompt.stage == "draft" and len(broken) < 2:
            broken.append(asked)
            raise CallFailed("timeout", "Late.", Completion("", Usage(asked.prompt.input_tokens, 0), "live"))
        return plain(asked, watch)

    ticket, known, book = SAMPLES[0], Tickets(), agent()
    plain = book.complete
    caps = Caps(expected=Decimal(10), multiple=Decimal(1), tickets=known)
    book = replace(book, complete=breaks, middleware=(caps,))
    steps = list(run(book, ticket, "kr-auto"))
    assert (steps[-1].stage, steps[-1].state) == ("draft", "failed")
    before = known.of(ticket, "kr-auto")
    assert before is not None
    assert before.unsure_usd > 0
    done = steps[:2]
    assert before.spent_usd > sum((r.cost_usd or Decimal(0) for s in done for r in s.receipts), Decimal(0))
    again = caps.opened(ticket, "kr-auto", done)
    assert isinstance(again, Caps)
    assert again.ticket is not None
    assert again.ticket.purse is not None
    assert (again.ticket.purse.spent_usd, again.ticket.purse.unsure_usd) == (before.spent_usd, before.unsure_usd)
    anew = caps.opened(ticket, "kr-auto", ())
    assert isinstance(anew, Caps)
    assert anew.ticket is not None
    assert anew.ticket.purse is not None
    assert anew.ticket.purse.spent_usd + anew.ticket.purse.unsure_usd == 0


def test_no_more_tickets_are_remembered_than_so_many() -> None:
    known = Tickets(most=2)
    for i in range(3):
        known.keep(Ticket(f"t{i}", "x"), "kr-auto", Purse(Decimal(1)))
    assert [known.of(Ticket(f"t{i}", "x"), "kr-auto") is None for i in range(3)] == [True, False, False]


def test_a_cap_of_zero_hands_every_ticket_over_without_a_call() -> None:
    book = replace(agent(), middleware=(Caps(run=Purse(Decimal(0))),))
    trace = run_all(book, SAMPLES[0], "kr-auto")
    assert trace.receipts == ()
    assert trace.handover is not None
    assert trace.handover.reason == "The cap on this run is zero, so no call goes out. Raise it to run."


def test_inside_failover_every_try_is_held_to_the_caps() -> None:
    b, purse = candidate("b", provider="Globex"), Purse(MOST + Decimal("0.0005"))
    cut = CallFailed("cut_stream", "It broke off.", replace(HALF, usage=Usage(100, 50)))

    def proceed(asked: Request, watch: Watch) -> Completion:
        assert asked.candidate == A, "the second try would have crossed the cap"
        raise cut

    rerouting = Failover({"a": (b,)}, lambda r, c: Ruling(True, "said"), Health(), RetryBudget(), Patience(repeats=0))
    complete = around((rerouting, Caps(run=purse)), proceed)
    with pytest.raises(HandedOver) as found:
        complete(request(), Unwatched())
    assert [(t.candidate, t.kind, t.partial) for t in found.value.tries] == [(A, "cut_stream", cut.partial)]
    assert purse.spent_usd == Decimal("0.0006")
