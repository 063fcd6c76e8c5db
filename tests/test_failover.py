"""Failover: who is asked when, by which rule, how long it takes, and that every try is kept and billed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.equivalents import Allowed, Permission, Ruling, check_equivalents, router_rules
from playground.errors import BadInput, CallFailed, Cancelled, HandedOver
from playground.failover import Failover
from playground.health import Breaker, Health
from playground.loop import THINKING_ROOM, Agent, climb_line, run_all
from playground.middleware import around
from playground.options import Settings
from playground.patience import REPEATED, Patience
from playground.pipeline import load_shipped
from playground.receipts import Biller
from playground.records import (
    Candidate,
    Completion,
    Context,
    FailureKind,
    Model,
    OutputSpec,
    Price,
    Prompt,
    Rates,
    Request,
    Ticket,
    Try,
    Usage,
)
from playground.retry_budget import RetryBudget
from playground.ui.runner import Run
from playground.watch import Unwatched, Watch
from playground.workshop import make_agent, make_router
from tests.scripted import TICKET, Scripted, good, make

PRICE = Price(Rates(Decimal(1), Decimal(2)), date(2026, 1, 1), "test")
A, B, C, D = (Candidate(Model(n, n, f"P{n}", PRICE, None, None)) for n in "abcd")
FREELY: Allowed = lambda request, candidate: Ruling(True, "costs no more")  # noqa: E731
TIMEOUT_S = 10.0


def request(candidate: Candidate = A) -> Request:
    prompt = Prompt("intent", 1, (), 100, 10)
    return Request(
        candidate, prompt, OutputSpec("text"), 200, 40, Context(Ticket("t", "x"), {}, ()), 0.9, timeout_s=TIMEOUT_S
    )


def part(text: str = "half") -> Completion:
    return Completion(text, Usage(100, 5), "live", 1.5, 0.5, "cut")


FAILURES: dict[FailureKind, Callable[[], CallFailed]] = {
    kind: lambda kind=kind: CallFailed(
        kind, f"It failed: {kind}.", part() if kind in ("cut_stream", "timeout") else None
    )  # type: ignore[misc]
    for kind in ("auth", "rate_limit", "server", "timeout", "cut_stream", "bad_request", "connection", "malformed")
}
Behaviour = Callable[[Request], Completion | Exception]


def answers(request: Request) -> Completion:
    return Completion(f"from {request.candidate.key}", Usage(100, 20, counted="provider"), "live", 0.4, 0.1)


def fails(kind: FailureKind) -> Behaviour:
    return lambda request: FAILURES[kind]()


@dataclass
class World:
    """A clock, and models that behave as told; each call takes as long as `took` says."""

    does: Mapping[str, Behaviour | list[Behaviour]]
    equivalents: Mapping[str, tuple[Candidate, ...]] = field(default_factory=lambda: {"a": (B, C)})
    allowed: Allowed = FREELY
    patience: Patience = field(default_factory=Patience)
    took: Mapping[str, float] = field(default_factory=dict)
    budget: RetryBudget = field(default_factory=RetryBudget)
    breaker: Breaker = field(default_factory=Breaker)
    jitter: float = 0.5
    now: float = 0.0
    asked: list[Request] = field(default_factory=list)
    slept: float = 0.0

    def __post_init__(self) -> None:
        self.health = Health(self.breaker, lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds

    def proceed(self, asked: Request, watch: Watch) -> Completion:
        self.asked.append(asked)
        key = asked.candidate.key
        self.now += self.took.get(key, 0.0)
        does = self.does.get(key, answers)
        if isinstance(does, list):
            does = does.pop(0) if len(does) > 1 else does[0]
        found = does(asked)
        if isinstance(found, Exception):
            raise found
        watch.text(asked, found.text)
        return found

    def part(self) -> Failover:
        return Failover(
            self.equivalents,
            self.allowed,
            self.health,
            self.budget,
            self.patience,
            clock=lambda: self.now,
            sleep=self.sleep,
            jitter=lambda: self.jitter,
        )

    def call(self, asked: Request | None = None, watch: Watch | None = None) -> Completion:
        return self.part().call(asked or request(), watch or Unwatched(), self.proceed)

    def fail(self, asked: Request | None = None) -> CallFailed:
        with pytest.raises(CallFailed) as failed:
            self.call(asked)
        return failed.value

    @property
    def keys(self) -> list[str]:
        return [r.candidate.key for r in self.asked]


# Nothing fails


def test_an_answer_is_passed_on_as_it_is() -> None:
    world = World({})
    asked = request()
    assert world.call(asked) == answers(asked)
    assert world.asked == [asked]
    assert world.asked[0] is asked


# Somebody else


@pytest.mark.parametrize("kind", sorted(set(FAILURES) - {"bad_request"}))
def test_each_kind_of_failure_goes_on_at_an_equivalent_by_a_stated_rule(kind: FailureKind) -> None:
    world = World({"a": fails(kind)})
    done = world.call()
    assert done.text == "from b"
    assert done.candidate == B
    assert done.rule.startswith("failover: Pa ")
    assert done.rule.endswith("; b is listed as an equivalent, costs no more")
    assert {t.kind for t in done.tries} == {kind}
    assert all(t.candidate == A and t.rule == "" for t in done.tries)
    assert len(done.tries) == 1 + (kind in REPEATED)


def test_the_rule_is_a_sentence_a_reader_understands() -> None:
    world = World({}, allowed=lambda r, c: Ruling(True, "costs no more and clears the bar of 0.90"))
    world.health.take_down("Pa")
    assert world.call().rule == (
        "failover: Pa is down; b is listed as an equivalent, costs no more and clears the bar of 0.90"
    )


def test_a_cut_stream_keeps_what_had_arrived() -> None:
    (tried,) = World({"a": fails("cut_stream")}).call().tries
    assert tried.partial == part()


def test_the_equivalents_are_asked_in_order() -> None:
    world = World({"a": fails("timeout"), "b": fails("malformed")})
    done = world.call()
    assert world.keys == ["a", "b", "c"]
    assert done.candidate == C
    assert [t.candidate for t in done.tries] == [A, B]
    assert done.tries[1].rule == "failover: Pa did not answer in time; b is listed as an equivalent, costs no more"
    assert done.rule.startswith("failover: Pb did not answer with a completion; c is listed")


def test_an_equivalent_is_asked_as_itself() -> None:
    thinker = Candidate(replace(B.model, default_effort="high"))
    world = World({"a": fails("timeout")}, {"a": (thinker,)})
    walk = replace(world.part(), quality=lambda stage, c: 0.77 if (stage, c) == ("intent", thinker) else None)
    walk.call(request(), Unwatched(), world.proceed)
    own, other = world.asked
    assert (own.quality, other.quality) == (0.9, 0.77)
    assert other.max_output_tokens == own.max_output_tokens + THINKING_ROOM * 4000
    assert other.prompt == own.prompt


def test_a_bad_request_is_not_shown_around() -> None:
    world = World({"a": fails("bad_request")})
    failed = world.fail()
    assert (world.keys, failed.kind, str(failed)) == (["a"], "bad_request", "It failed: bad_request.")


def test_a_bad_request_is_shown_around_where_it_may_be() -> None:
    world = World({"a": fails("bad_request")}, patience=Patience(after_bad_request=True))
    assert world.call().rule.startswith("failover: Pa refused the request; b is listed")


def test_without_equivalents_only_the_failure_is_said() -> None:
    failed = World({"a": fails("timeout")}, {}).fail()
    assert str(failed) == "It failed: timeout."
    assert failed.tries == ()
    assert failed.last is not None
    assert failed.last.partial == failed.partial == part()


def test_what_is_left_out_is_said_with_the_reason() -> None:
    reasons = {"b": "it is dearer ($2 a call against $1)", "c": "below the bar by 0.10 (0.80 against 0.90)"}
    world = World({"a": fails("timeout")}, allowed=lambda r, c: Ruling(False, reasons[c.key]))
    failed = world.fail()
    assert world.keys == ["a"]
    assert str(failed) == f"It failed: timeout. Left out: b: {reasons['b']}; c: {reasons['c']}."


def test_the_rule_is_asked_about_what_was_chosen_not_about_the_last_try() -> None:
    seen: list[tuple[str, str]] = []

    def allowed(asked: Request, candidate: Candidate) -> Ruling:
        seen.append((asked.candidate.key, candidate.key))
        return Ruling(True, "fits")

    World({k: fails("timeout") for k in "abc"}, {"a": (B,), "b": (C,)}, allowed=allowed).fail()
    assert seen == [("a", "b"), ("a", "c")]


def test_when_all_fail_every_try_is_kept_in_order() -> None:
    failed = World({"a": fails("timeout"), "b": fails("cut_stream"), "c": fails("auth")}).fail()
    assert [(t.candidate.key, t.kind) for t in failed.tries] == [("a", "timeout"), ("b", "cut_stream")]
    assert failed.kind == "auth"
    assert failed.last is not None
    assert failed.last.candidate == C
    assert failed.last.rule.startswith("failover: Pb broke off its answer; c is listed")


# Providers that are down


def test_a_provider_that_is_switched_off_is_not_asked_and_its_try_says_so() -> None:
    world = World({})
    world.health.take_down("Pa")
    done = world.call()
    assert world.keys == ["b"]
    assert done.tries == (Try(A, "down", "Pa is switched off, so it was not asked.", latency_s=0.0),)
    world.health.bring_up("Pa")
    assert world.call().candidate is None


def test_after_failures_in_a_row_a_provider_is_left_alone_and_then_probed() -> None:
    world = World({"a": fails("timeout")}, breaker=Breaker(3, 10, 60))
    for _ in range(5):
        world.call()
    assert world.keys == ["a", "b", "a", "b", "a", "b", "b", "b"]
    world.now += 10
    world.does = {}
    assert world.call().candidate is None
    assert world.call().tries == ()


def test_a_refused_key_is_said_as_that() -> None:
    world = World({"a": fails("auth")})
    world.call()
    done = world.call()
    assert world.keys == ["a", "b", "b"]
    assert done.tries[0].kind == "auth"
    assert done.rule.startswith("failover: Pa refused the key;")


def test_another_key_is_tried() -> None:
    world, key = World({"a": fails("auth")}), "old"
    walk = replace(world.part(), key_of=lambda model: key)
    walk.call(request(), Unwatched(), world.proceed)
    key = "new"
    walk.call(request(), Unwatched(), world.proceed)
    assert world.keys == ["a", "b", "a", "b"]


def test_all_down_is_a_failure_that_calls_nobody() -> None:
    world = World({})
    for place in ("Pa", "Pb", "Pc"):
        world.health.take_down(place)
    failed = world.fail()
    assert world.keys == []
    assert [t.kind for t in failed.tries] == ["down", "down"]
    assert failed.kind == "down"


def test_a_bad_request_and_a_cancelled_call_count_against_nobody() -> None:
    world = World({"a": fails("bad_request")})
    for _ in range(10):
        world.fail()
    world.does = {"a": lambda r: Cancelled()}
    for _ in range(10):
        with pytest.raises(Cancelled):
            world.call()
    assert world.health.standing("Pa").state == "closed"


def test_an_unforeseen_error_gives_the_probe_back() -> None:
    world = World({"a": fails("timeout")}, {})
    for _ in range(3):
        world.fail()
    world.now += 1000
    world.does = {"a": lambda r: ValueError("bug")}
    with pytest.raises(ValueError, match="bug"):
        world.call()
    world.does = {}
    assert world.call().text == "from a"


# Repeats


@pytest.mark.parametrize("kind", sorted(REPEATED))
def test_what_may_pass_is_repeated_after_a_wait_with_jitter(kind: FailureKind) -> None:
    world = World({"a": [fails(kind), answers]}, jitter=0.5)
    done = world.call()
    assert world.keys == ["a", "a"]
    assert (done.candidate, done.rule) == (None, "")
    assert [(t.kind, t.waited_s) for t in done.tries] == [(kind, 0.25)]
    assert world.slept == pytest.approx(0.25)


def test_a_short_wait_that_was_asked_for_is_waited_out() -> None:
    limited = CallFailed("rate_limit", "Slow down.", retry_after_s=1.5)
    world = World({"a": [lambda r: limited, answers]}, jitter=0.0)
    done = world.call()
    assert world.keys == ["a", "a"]
    assert world.slept == pytest.approx(1.51)
    assert done.tries[0].waited_s == pytest.approx(1.51)


def test_a_long_wait_that_was_asked_for_is_kept_by_everybody() -> None:
    limited = CallFailed("rate_limit", "Slow down.", retry_after_s=7.0)
    world = World({"a": [lambda r: limited, answers]})
    assert world.call().candidate == B
    assert world.slept == 0
    world.now += 6.9
    assert world.call().candidate == B
    world.now += 0.2
    assert world.call().candidate is None
    assert world.keys == ["a", "b", "b", "a"]


def test_without_budget_nothing_is_repeated() -> None:
    world = World({"a": fails("server")}, budget=RetryBudget(0, 0))
    world.call()
    assert world.keys == ["a", "b"]


def test_the_budget_is_shared_and_spent_by_repeats_only() -> None:
    world = World({"a": fails("server")}, budget=RetryBudget(10, 2), breaker=Breaker(1000))
    for _ in range(40):
        world.call()
    assert world.keys.count("a") - 40 == 2 + 40 // 10 - 1  # the first deposit falls into a full bucket
    assert world.keys.count("b") == 40


def test_a_provider_that_has_just_opened_is_not_repeated() -> None:
    world = World({"a": fails("server")}, breaker=Breaker(1))
    world.call()
    assert world.keys == ["a", "b"]
    assert world.slept == 0


@pytest.mark.parametrize("repeats", [0, 1, 3])
def test_how_often_is_configured(repeats: int) -> None:
    world = World({"a": fails("connection")}, {}, patience=Patience(repeats=repeats), breaker=Breaker(100))
    failed = world.fail()
    assert world.keys == ["a"] * (repeats + 1)
    assert [t.waited_s for t in failed.tries] == [0.25 * 2**n for n in range(repeats)]


# Time


def test_all_tries_together_have_a_deadline() -> None:
    world = World({k: fails("timeout") for k in "abc"}, {"a": (B, C, D)}, took={"a": 10.0, "b": 10.0, "c": 10.0})
    failed = world.fail()
    assert world.keys == ["a", "b"]
    assert [r.timeout_s for r in world.asked] == [10.0, 10.0]
    assert str(failed).endswith("The 20 seconds for all tries of this call are up.")


def test_a_late_try_gets_what_is_left_and_its_time_out_counts_against_nobody() -> None:
    world = World(
        {k: fails("timeout") for k in "abc"}, took={"a": 10.0, "b": 7.0, "c": 3.0}, breaker=Breaker(1, 60, 60)
    )
    failed = world.fail()
    assert [r.timeout_s for r in world.asked] == [10.0, 10.0, pytest.approx(3.0)]
    assert [world.health.standing(f"P{k}").state for k in "abc"] == ["open", "open", "closed"]
    assert [t.latency_s for t in failed.tries] == [10.0, 7.0]


def test_a_time_out_counts_also_where_the_deadline_is_one_timeout() -> None:
    world = World({"a": fails("timeout")}, {}, took={"a": 10.0}, patience=Patience(deadline_factor=1.0))
    for _ in range(3):
        world.now += 0.001
        world.fail()
    assert world.health.standing("Pa").state == "open"


def test_there_is_no_wait_past_the_deadline() -> None:
    world = World({"a": fails("server")}, {}, took={"a": 9.9}, patience=Patience(deadline_factor=1.0), jitter=1.0)
    world.fail()
    assert (world.keys, world.slept) == (["a"], 0)


@pytest.mark.parametrize("leap", [-1e6, 1e6])
def test_a_clock_that_jumps_ends_no_call_early_that_was_answered(leap: float) -> None:
    def leaps(asked: Request) -> Exception:
        world.now += leap
        return FAILURES["timeout"]()

    world = World({"a": leaps})
    if leap > 0:
        assert "are up" in str(world.fail())
        world.does = {}
        assert world.call().text == "from a"
    else:
        done = world.call()
        assert done.candidate == B
        assert done.tries[0].latency_s == 0.0


def test_what_failures_add_to_the_latency_is_on_the_tries() -> None:
    world = World({"a": fails("server"), "b": fails("timeout")}, took={"a": 0.5, "b": 4.0}, jitter=1.0)
    started = world.now
    done = world.call()
    added = sum((t.latency_s or 0) + t.waited_s for t in done.tries)
    assert added == pytest.approx(world.now - started) == pytest.approx(0.5 + 0.5 + 0.5 + 4.0)


@pytest.mark.parametrize(
    "wrong", [{"repeats": -1}, {"backoff_s": -1}, {"longest_wait_s": float("nan")}, {"deadline_factor": 0.5}]
)
def test_figures_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="Failover: "):
        Patience(**wrong)  # type: ignore[arg-type]


# Being stopped


def test_cancelling_passes_through_at_once_with_the_tries_so_far() -> None:
    world = World({"a": fails("timeout"), "b": lambda r: Cancelled(partial=part())})
    with pytest.raises(Cancelled) as stopped:
        world.call()
    assert world.keys == ["a", "b"]
    assert [t.candidate for t in stopped.value.tries] == [A]
    assert stopped.value.candidate == B
    assert stopped.value.rule.startswith("failover: ")
    assert stopped.value.partial == part()


def test_cancelling_ends_a_wait() -> None:
    class Stops(Unwatched):
        def cancelled(self) -> bool:
            return world.slept > 0.1

    world = World({"a": fails("server")}, jitter=1.0)
    with pytest.raises(Cancelled) as stopped:
        world.call(watch=Stops())
    assert world.slept < 0.2
    assert [t.kind for t in stopped.value.tries] == ["server"]


def test_a_cap_that_holds_a_later_try_hands_over_with_the_tries_so_far() -> None:
    world = World({"a": fails("cut_stream"), "b": lambda r: HandedOver("run cap", "No room.")})
    with pytest.raises(HandedOver) as held:
        world.call()
    assert (held.value.rule, str(held.value)) == ("run cap", "No room.")
    assert [(t.candidate, t.partial) for t in held.value.tries] == [(A, part())]
    assert world.health.standing("Pb").state == "closed"


# In the loop


def bill(agent: Agent, *parts: Failover) -> list[tuple[str, str, str | None, bool]]:
    trace = run_all(replace(agent, middleware=parts), TICKET, "before")
    return [(r.model, r.outcome, r.failure, bool(r.cost_usd)) for r in trace.receipts]


def rerouting(agent: Agent, listed: dict[str, list[str]], permission: Permission | None = None) -> Failover:
    router = agent.router
    return Failover(
        check_equivalents(listed, router.named),
        router_rules(router, permission),
        Health(Breaker(1000)),
        RetryBudget(),
        patience=Patience(repeats=0),
        quality=lambda stage, c: router.evidence.quality(stage, c).estimate,
    )


def test_both_sides_of_a_restarted_stream_are_billed() -> None:
    def answer(asked: Request) -> str | Exception:
        if asked.candidate.key == "gpt-5.4":
            return CallFailed("cut_stream", "It broke off.", Completion("{", Usage(50, 1), "live"))
        return good(asked)

    agent = make(Scripted(answer))
    part_ = rerouting(agent, {"gpt-5.4": ["claude-haiku-4-5"]})
    trace = run_all(replace(agent, middleware=(part_,)), TICKET, "before")
    intent = trace.step("intent")
    assert intent is not None
    assert [(r.model, r.outcome, r.failure, bool(r.cost_usd)) for r in intent.receipts] == [
        ("gpt-5.4", "failed", "cut_stream", True),
        ("claude-haiku-4-5", "ok", None, True),
    ]
    assert intent.receipts[1].rule == (
        "failover: OpenAI broke off its answer; claude-haiku-4-5 is listed as an equivalent, "
        f"costs no more and clears the bar of {intent.decision.bar.value:.2f}"
    )
    assert climb_line(intent) == f"; {intent.receipts[1].rule}"


def test_a_call_that_is_cancelled_half_way_bills_what_was_tried() -> None:
    def answer(asked: Request) -> str | Exception:
        if asked.candidate.key == "gpt-5.4":
            return CallFailed("cut_stream", "It broke off.", Completion("{", Usage(50, 1), "live"))
        return Cancelled(partial=Completion("{", Usage(60, 2), "live"))

    agent = make(Scripted(answer))
    found = bill(agent, rerouting(agent, {"gpt-5.4": ["claude-haiku-4-5"]}))
    assert found == [("gpt-5.4", "failed", "cut_stream", True), ("claude-haiku-4-5", "cancelled", None, True)]


@pytest.mark.parametrize("price", [PRICE, None])
def test_what_was_refused_costs_nothing_priced_or_not(price: Price | None) -> None:
    asked = request(Candidate(replace(A.model, price=price)))
    bill_ = Biller("support", "before", "intent", "live")

    def complete(asked: Request, watch: Watch) -> Completion:
        raise CallFailed("rate_limit", "No.", tries=(Try(asked.candidate, "timeout", "Late.", part()),), last=None)

    late, refused = bill_.attempts(asked, Unwatched(), complete, lambda r, d: pytest.fail("no answer to check"))
    assert refused.receipt.cost_usd == 0
    assert late.receipt.cost_usd == (None if price is None else Decimal("0.00011"))


def test_a_rehearsed_ticket_with_a_provider_switched_off_is_finished_elsewhere() -> None:
    agent = make_agent(make_router(load_shipped("support"), Settings(raise_bars=False)))
    listed = {"gpt-5.4": ["claude-haiku-4-5", "nova-pro"], "claude-opus-4-5": ["claude-sonnet-4-6"]}
    part_ = rerouting(agent, listed)
    part_.health.take_down("OpenAI")
    trace = run_all(replace(agent, middleware=(part_,)), TICKET, "before")
    intent = trace.step("intent")
    assert intent is not None
    assert [(r.model, r.failure) for r in intent.receipts] == [("gpt-5.4", "down"), ("claude-haiku-4-5", None)]
    assert intent.attempts[0].error == "OpenAI is switched off, so it was not asked."
    assert all(s.state == "done" for s in trace.steps)


class RoutedClimb:
    """A stage whose own model fails, with only the next rung of its ladder to go to."""

    def __init__(self, stage: str, failure: CallFailed, permission: Permission | None = None) -> None:
        self.plain = make()
        self.decision = next(s.decision for s in run_all(self.plain, TICKET, "kr-auto").steps if s.stage == stage)
        self.own, self.rung = self.decision.ladder
        self.complete = Scripted(lambda r: failure if r.candidate == self.own and r.prompt.stage == stage else good(r))
        agent = make(self.complete)
        trace = run_all(replace(agent, middleware=(rerouting(agent, {}, permission),)), TICKET, "kr-auto")
        found = trace.step(stage)
        assert found is not None
        self.step = found


def test_an_outage_jumps_to_no_dearer_rung_without_a_rule() -> None:
    found = RoutedClimb("summarise", CallFailed("server", "It fell over."))
    assert found.step.state == "failed"
    assert {a.candidate for a in found.step.attempts} == {found.own}
    assert f"Left out: {found.rung.key}: it is dearer" in found.step.message


def test_an_outage_goes_up_a_rung_by_the_rule_that_the_receipt_states() -> None:
    found = RoutedClimb("summarise", CallFailed("server", "It fell over."), Permission(Decimal(100)))
    last = found.step.attempts[-1]
    assert (found.step.state, last.candidate) == ("done", found.rung)
    assert last.receipt.rule.startswith(
        f"failover: {found.own.model.provider} had an error of its own; {found.rung.key} is the next step up, is dearer"
    )
    assert climb_line(found.step) == f"; {last.receipt.rule}"


def test_a_rejected_answer_climbs_freely_as_before() -> None:
    plain = make()
    own = next(s.decision.chosen for s in run_all(plain, TICKET, "kr-auto").steps if s.stage == "intent")
    agent = make(Scripted(lambda r: "no label" if r.candidate == own and r.prompt.stage == "intent" else good(r)))
    intent = run_all(replace(agent, middleware=(rerouting(agent, {}),)), TICKET, "kr-auto").step("intent")
    assert intent is not None
    assert (intent.state, intent.attempts[-1].candidate) == ("done", intent.decision.ladder[1])
    assert climb_line(intent).startswith("; 1 call climbed to ")


def test_whose_answer_was_rejected_is_not_asked_again() -> None:
    world = World({"a": fails("timeout")})
    assert world.call(replace(request(), rejected=(B,))).candidate == C
    assert world.keys == ["a", "c"]


def test_a_climb_tells_failover_whose_answer_was_rejected() -> None:
    own = next(s.decision.chosen for s in run_all(make(), TICKET, "kr-auto").steps if s.stage == "intent")
    complete = Scripted(lambda r: "no label" if r.candidate == own and r.prompt.stage == "intent" else good(r))
    run_all(make(complete), TICKET, "kr-auto")
    assert [r.rejected for r in complete.requests if r.prompt.stage == "intent"] == [(), (own,)]


def test_a_model_that_is_not_allowed_goes_on_elsewhere_and_its_provider_stays_in_use() -> None:
    mini = Candidate(replace(A.model, id="mini", name="mini"))
    world = World({"a": [lambda r: CallFailed("no_access", "Not this model.")]})
    assert world.call().rule.startswith("failover: Pa does not let this key use its model; b is listed")
    world.call()
    assert world.keys == ["a", "b", "b"]
    assert world.call(request(mini)).text == "from mini"


def test_an_account_without_credit_is_not_asked_again_at_once() -> None:
    world = World({"a": [lambda r: CallFailed("no_credit", "No credit.")]})
    assert world.call().rule.startswith("failover: Pa is out of credit; b is listed")
    world.call()
    assert world.keys == ["a", "b", "b"]


def test_a_rung_that_is_listed_too_is_asked_once() -> None:
    world = World({"a": fails("timeout"), "b": fails("timeout"), "c": fails("timeout")})
    done = world.call(replace(request(), rungs=(B, D, A)))
    assert "; d is the next step up, costs no more" in done.rule
    assert world.keys == ["a", "b", "c", "d"]


def test_the_page_shows_no_half_answer_before_a_whole_one() -> None:
    shown: list[str] = []

    class Breaking(Scripted):
        def __call__(self, request: Request, watch: Watch) -> Completion:
            if request.candidate.key == "claude-opus-4-5" and request.prompt.stage == "respond":
                watch.text(request, "Half of an ans")
                shown.append(run.shown("respond"))
                raise CallFailed("cut_stream", "It broke off.", part())
            return super().__call__(request, watch)

    agent = make(Breaking())
    parts = (rerouting(agent, {"claude-opus-4-5": ["qwen3.8-max"]}),)
    run = Run(replace(agent, middleware=parts), TICKET, "before")
    run.start(10)
    assert shown == ["Half of an ans"]
    assert run.shown("respond") == "It takes days. The limit is $50."


def test_a_climb_shows_no_half_answer_either() -> None:
    cut: list[Request] = []

    class Cut(Scripted):
        def __call__(self, request: Request, watch: Watch) -> Completion:
            if request.prompt.stage == "respond" and not cut:
                cut.append(request)
                watch.text(request, "Half of an ans")
                raise CallFailed("cut_stream", "It broke off.", part())
            return super().__call__(request, watch)

    run = Run(make(Cut()), TICKET, "before").start(10)
    assert cut
    assert run.shown("respond") == "It takes days. The limit is $50."


def test_tickets_side_by_side_share_what_is_known() -> None:
    class Counting(World):
        lock = threading.Lock()

        def proceed(self, asked: Request, watch: Watch) -> Completion:
            with self.lock:
                return super().proceed(asked, watch)

    world = Counting({"a": fails("timeout")}, breaker=Breaker(3, 1000, 1000))
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda _: world.call(), range(200)))
    assert all(d.candidate == B for d in done)
    assert 3 <= world.keys.count("a") <= 3 + 16
    assert sum(t.kind == "timeout" for d in done for t in d.tries) == world.keys.count("a")


# Whatever happens

KINDS = [*sorted(FAILURES), "ok"]


@given(
    does=st.lists(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4), min_size=4, max_size=4),
    graph=st.fixed_dictionaries({k: st.lists(st.sampled_from([A, B, C, D]), max_size=4) for k in "abcd"}),
    forbidden=st.sets(st.sampled_from("bcd")),
    down=st.sets(st.sampled_from(["Pa", "Pb", "Pc", "Pd"])),
    repeats=st.integers(0, 2),
)
def test_every_call_leaves_one_try_and_nobody_is_asked_against_the_rules(
    does: list[list[str]],
    graph: dict[str, list[Candidate]],
    forbidden: set[str],
    down: set[str],
    repeats: int,
) -> None:
    """Also on lists that go in a circle, which `check_equivalents` would have refused."""
    behaviours = {
        key: [answers if kind == "ok" else fails(kind) for kind in kinds]  # type: ignore[arg-type]
        for key, kinds in zip("abcd", does, strict=True)
    }
    world = World(
        behaviours,
        {key: tuple(others) for key, others in graph.items()},
        allowed=lambda r, c: Ruling(c.key not in forbidden, "said"),
        patience=Patience(repeats=repeats),
    )
    for place in down:
        world.health.take_down(place)
    try:
        done = world.call()
        tries, answered = done.tries, 1
        assert done.rule == "" or "said" in done.rule
        assert (done.candidate is None) == (done.rule == "")
    except CallFailed as failed:
        tries, answered = (*failed.tries, *filter(None, [failed.last])), 0
    sent = [t for t in tries if t.kind != "down"]
    assert len(world.asked) == len(sent) + answered
    assert [t.candidate.key for t in sent] == world.keys[: len(sent)]
    assert not {r.candidate.model.provider for r in world.asked} & down
    assert not {k for k in world.keys if k != "a"} & forbidden
    order = list(dict.fromkeys(world.keys))
    visits = [k for i, k in enumerate(world.keys) if i == 0 or world.keys[i - 1] != k]
    assert visits == order, "a candidate was left and asked again"
    assert all(world.keys.count(k) <= repeats + 1 for k in order)
    assert all(t.rule == ("" if t.candidate == A else t.rule) and (t.candidate == A or t.rule) for t in tries)


def test_parts_in_their_order_see_every_try() -> None:
    seen: list[str] = []

    @dataclass
    class Noting:
        reroutes: ClassVar[bool] = False

        def opened(self, *_: object) -> Noting:
            return self

        def call(self, request: Request, watch: Watch, proceed: Callable[..., Completion]) -> Completion:
            seen.append(request.candidate.key)
            return proceed(request, watch)

        def after(self, *_: object) -> None:
            return None

    world = World({"a": fails("timeout")})
    around((world.part(), Noting()), world.proceed)(request(), Unwatched())
    assert seen == ["a", "b"]
