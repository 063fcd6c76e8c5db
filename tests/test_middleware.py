"""Parts around a run: the outermost sees a call first, a held call hands over, and only the summary runs after that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from playground import tickets
from playground.errors import CallFailed, HandedOver
from playground.loop import Agent, run_all
from playground.middleware import Middleware, Through, around
from playground.pipeline import load_shipped
from playground.records import Completion, Context, Handover, Plan, Request, Step, Ticket, Try, Usage
from playground.watch import Complete, Unwatched, Watch
from playground.workshop import make_agent, make_router

AGENT = make_agent(make_router(load_shipped("support")))
TICKET = next(iter(tickets.samples().values()))


def with_parts(*parts: Middleware) -> Agent:
    return replace(AGENT, middleware=parts)


@dataclass
class Noting(Through):
    """Writes down what it sees."""

    name: str
    seen: list[str] = field(default_factory=list)

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        self.seen.append(f"{self.name} in")
        done = proceed(request, watch)
        self.seen.append(f"{self.name} out")
        return done


class HoldsAt(Through):
    """Holds every call of a stage."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        if request.prompt.stage == self.stage:
            raise HandedOver("cap", "The ticket would cost more than its cap.")
        return proceed(request, watch)


class Doubts(Through):
    """Hands over after a stage."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def after(self, step: Step, context: Context) -> Handover | None:
        return Handover("gate", "It is not sure.") if step.stage == self.stage else None


def test_the_first_part_is_the_outermost() -> None:
    seen: list[str] = []
    parts = (Noting("one", seen), Noting("two", seen))

    def complete(request: Request, watch: Watch) -> Completion:
        seen.append("call")
        return Completion("", Usage(0, 0), "rehearsal")

    around(parts, complete)(None, Unwatched())  # type: ignore[arg-type]
    assert seen == ["one in", "two in", "call", "two out", "one out"]


def test_without_parts_nothing_changes() -> None:
    assert run_all(with_parts(Through()), TICKET, "kr-auto") == run_all(AGENT, TICKET, "kr-auto")


def test_a_handover_skips_to_the_summary() -> None:
    trace = run_all(with_parts(Doubts("draft")), TICKET, "kr-auto")
    assert [s.stage for s in trace.steps] == ["intent", "rerank", "draft", "summarise"]
    assert all(s.state == "done" for s in trace.steps)
    assert trace.handover == Handover("gate", "It is not sure.")


def test_an_answer_is_served_where_no_handover_stands() -> None:
    assert run_all(AGENT, TICKET, "kr-auto").served == run_all(AGENT, TICKET, "kr-auto").steps[4].output
    for stage in ("intent", "draft", "check", "respond", "summarise"):
        assert run_all(with_parts(Doubts(stage)), TICKET, "kr-auto").served is None
    assert run_all(with_parts(HoldsAt("respond")), TICKET, "kr-auto").served is None


@pytest.mark.parametrize("withheld", [False, True])
def test_what_is_withheld_goes_into_no_later_prompt(withheld: bool) -> None:
    seen: list[set[str]] = []

    class Holds(Through):
        def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
            if request.prompt.stage == "summarise":
                seen.append(set(request.context.earlier))
            return proceed(request, watch)

        def after(self, step: Step, context: Context) -> Handover | None:
            return Handover("leak", "It leaks.", withheld) if step.stage == "respond" else None

    trace = run_all(with_parts(Holds()), TICKET, "kr-auto")
    assert trace.steps[4].output is not None
    assert ("respond" in seen[0]) is not withheld


@pytest.mark.parametrize("turned", [False, True])
def test_who_withholds_an_output_goes_before_who_only_hands_over(turned: bool) -> None:
    class Withholds(Through):
        def after(self, step: Step, context: Context) -> Handover | None:
            return Handover("leak", "It leaks.", withheld=True) if step.stage == "draft" else None

    parts = [Doubts("draft"), Withholds()]
    trace = run_all(with_parts(*(reversed(parts) if turned else parts)), TICKET, "kr-auto")
    assert trace.handover == Handover("leak", "It leaks.", withheld=True)


def test_of_two_who_hand_over_the_innermost_has_the_first_word() -> None:
    class Also(Doubts):
        def after(self, step: Step, context: Context) -> Handover | None:
            return Handover("other", "It is late.") if step.stage == self.stage else None

    trace = run_all(with_parts(Doubts("draft"), Also("draft")), TICKET, "kr-auto")
    assert trace.handover == Handover("other", "It is late.")


def test_a_held_call_costs_nothing_and_hands_over() -> None:
    trace = run_all(with_parts(HoldsAt("draft")), TICKET, "kr-auto")
    assert [s.stage for s in trace.steps] == ["intent", "rerank", "draft", "summarise"]
    held = trace.step("draft")
    assert held is not None
    assert (held.state, held.attempts) == ("failed", ())
    assert held.handover == Handover("cap", "The ticket would cost more than its cap.")


def test_what_was_tried_before_a_call_was_held_is_billed() -> None:
    class Late(HoldsAt):
        def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
            if request.prompt.stage != self.stage:
                return proceed(request, watch)
            tried = Try(request.candidate, "server", "It fell over.", proceed(request, watch))
            raise HandedOver("cap", "The next try would cross the cap.", (tried,))

    step = run_all(with_parts(Late("intent")), TICKET, "kr-auto").steps[0]
    assert [(r.outcome, r.failure) for r in step.receipts] == [("failed", "server")]
    assert step.receipts[0].cost_usd


def test_tries_inside_a_call_are_attempts_with_receipts() -> None:
    class Reroutes(Through):
        def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
            other = AGENT.router.named("claude-haiku-4-5")
            tries = (Try(request.candidate, "rate_limit", "It is limited."),)
            return replace(proceed(request, watch), candidate=other, rule="an equivalent", tries=tries)

    step = run_all(with_parts(Reroutes()), TICKET, "before").steps[0]
    assert [(r.attempt, r.model, r.outcome, r.failure, r.rule) for r in step.receipts] == [
        (1, "gpt-5.4", "failed", "rate_limit", ""),
        (2, "claude-haiku-4-5", "ok", None, "an equivalent"),
    ]


def test_a_failed_call_bills_the_tries_before_it() -> None:
    class Exhausted(Through):
        def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
            tried = Try(request.candidate, "server", "It fell over.", proceed(request, watch))
            raise CallFailed("rate_limit", "It is limited.", tries=(tried,))

    step = run_all(with_parts(Exhausted()), TICKET, "before").steps[0]
    assert [r.failure for r in step.receipts] == ["server", "rate_limit"] * 2
    assert [bool(r.cost_usd) for r in step.receipts] == [True, False] * 2


def test_an_answer_out_of_a_cache_costs_nothing_also_without_a_price() -> None:
    class Cached(Through):
        def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
            return replace(proceed(request, watch), source="exact cache")

    step = run_all(with_parts(Cached()), TICKET, "before").steps[0]
    assert [(r.cost_usd, r.source) for r in step.receipts] == [(0, "exact cache")]


def test_a_part_opens_anew_for_each_ticket_and_sees_what_ran_before() -> None:
    seen: list[tuple[str, int]] = []

    class Opening(Through):
        def opened(self, ticket: Ticket, plan: Plan, done: Sequence[Step]) -> Middleware:
            seen.append((ticket.id, len(done)))
            return self

    run_all(with_parts(Opening()), TICKET, "before")
    assert seen == [(TICKET.id, 0)]
