"""Second opinions in a run: drawn, compared, billed apart and never served."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.bounded import Unit
from playground.drift import FLOOR
from playground.errors import BadInput, CallFailed, HandedOver
from playground.guarded import Surroundings, guarded
from playground.log_tickets import LogTickets
from playground.loop import Agent, run_all
from playground.middleware import Through
from playground.opinions import SecondOpinions, as_sample
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.prompt_counts import count_inputs
from playground.recording import Unrecorded
from playground.records import Completion, Receipt, Request, SecondOpinion, Ticket, Trace
from playground.runtime import CostCaps, FailoverRules, Runtime
from playground.sample import summed, ticket_work
from playground.scoring import family
from playground.second_opinion import tier_above
from playground.shadow import Arms, Shadowing
from playground.tickets import samples
from playground.watch import Complete, Watch
from playground.workshop import make_agent, make_router
from tests.scripted import TICKET, Scripted, good, make

HIGHER = "mid"


def asked(stage: str, complete: Scripted | None = None, caps: CostCaps | None = None, share: float = 1.0) -> Agent:
    flow = load_shipped("support")
    runtime = Runtime(second_opinions=share, opinion_stage=stage, cost_caps=caps)  # type: ignore[arg-type]
    return guarded(make(complete, replace(flow, runtime=runtime)), Surroundings())


def second_of(trace: Trace, stage: str) -> SecondOpinion:
    step = trace.step(stage)
    assert step is not None
    assert step.second is not None
    return step.second


def labelling(higher: str, label: str) -> Scripted:
    def answer(request: Request) -> str:
        if request.prompt.stage == "intent" and request.candidate.key == higher:
            return json.dumps({"label": label, "language": "en", "confidence": 0.9})
        return good(request)

    return Scripted(answer)


def tier_over(stage: str) -> str:
    flow = load_shipped("support")
    return make_router(flow).named(tier_above(flow, flow.stage(stage))).key


def test_the_next_tier_up_answers_as_well_and_agrees() -> None:
    trace = run_all(asked("intent"), TICKET, "kr-auto")
    found = second_of(trace, "intent")
    assert (found.candidate, found.disagrees, found.probability) == (tier_over("intent"), False, 1.0)
    assert [s for s, _ in trace.second_opinions] == ["intent"]


def test_it_disagrees_and_is_never_served() -> None:
    trace = run_all(asked("intent", labelling(tier_over("intent"), "double_charge")), TICKET, "kr-auto")
    assert second_of(trace, "intent").disagrees is True
    step = trace.step("intent")
    assert step is not None
    assert isinstance(step.output, dict)
    assert step.output["label"] == "refund_request"


def test_it_is_billed_on_receipts_of_its_own() -> None:
    plain, beside = run_all(make(), TICKET, "kr-auto"), run_all(asked("intent"), TICKET, "kr-auto")
    assert [r.model for r in beside.receipts] == [r.model for r in plain.receipts]
    (receipt,) = second_of(beside, "intent").receipts
    assert receipt.cost_usd
    assert receipt.cost_usd > 0
    assert receipt not in beside.receipts


@dataclass
class Kept(Unrecorded):
    purpose: str
    paid_for: list[tuple[str, Receipt]] = field(default_factory=list)

    def paid(self, request: Request, receipts: Sequence[Receipt]) -> None:
        self.paid_for += [(self.purpose, r) for r in receipts]


def test_the_record_hears_of_it_as_what_it_is() -> None:
    ticket, aside = Kept("ticket"), Kept("second opinion")
    flow = replace(load_shipped("support"), runtime=Runtime(second_opinions=1.0))
    agent = replace(make(pipeline=flow), record=ticket)
    trace = run_all(guarded(agent, Surroundings(aside=lambda _: aside)), TICKET, "kr-auto")
    assert len(ticket.paid_for) == len(trace.receipts)
    assert [r for _, r in aside.paid_for] == list(second_of(trace, "intent").receipts)


def test_drafts_are_judged_by_a_third_family_and_the_judge_is_billed_with_them() -> None:
    flow = replace(load_shipped("support"), runtime=Runtime(second_opinions=1.0, opinion_stage="draft"))
    agent = guarded(make_agent(make_router(flow)), Surroundings())
    found = [second_of(run_all(agent, t, "kr-auto"), "draft") for t in samples().values()]
    judged = [s for s in found if any(r.stage == "judge" for r in s.receipts)]
    assert judged
    for second in judged:
        makers = {family(agent.router.named(r.model).model) for r in second.receipts if r.stage == "judge"}
        assert makers.isdisjoint({family(agent.router.named(second.candidate).model)})
        assert second.disagrees is not None


def test_a_higher_tier_that_fails_says_nothing_and_its_ticket_goes_on() -> None:
    def answer(request: Request) -> str | Exception:
        down = request.candidate.key == tier_over("intent")
        return CallFailed("server", "It is down.") if down else good(request)

    trace = run_all(asked("intent", Scripted(answer)), TICKET, "kr-auto")
    found = second_of(trace, "intent")
    assert found.disagrees is None
    assert as_sample("t", found) is None
    assert [r.outcome for r in found.receipts] == ["failed"]
    assert trace.served is not None


def test_no_second_opinion_goes_out_past_a_cap_on_a_call_or_a_run() -> None:
    for caps in (CostCaps(call_usd=Decimal("0.000001")), CostCaps(run_usd=Decimal("0.000001"))):
        complete = Scripted()
        agent = asked("intent", complete, caps)
        # The caps of the ticket are taken off, so that only those of the second opinion are seen at work.
        trace = run_all(replace(agent, middleware=()), TICKET, "kr-auto")
        assert second_of(trace, "intent").receipts == ()
        assert sum(r.prompt.stage == "intent" for r in complete.requests) == 1


def test_who_must_never_see_a_ticket_is_not_asked() -> None:
    flow = replace(load_shipped("support"), runtime=Runtime(second_opinions=1.0))
    usual = make_router(flow).named(tier_over("intent"))
    complete, others = Scripted(), frozenset(make_router(flow).catalog.providers) - {usual.model.provider}
    agent = guarded(make(complete, flow, Settings(providers=others)), Surroundings())
    found = second_of(run_all(agent, TICKET, "kr-auto"), "intent")
    assert found.candidate != usual.key
    assert usual.model.provider not in {r.candidate.model.provider for r in complete.requests}


def test_a_shadow_evaluation_asks_for_none() -> None:
    agent = asked("intent")
    arms = Arms("intent", agent.router.named("gpt-5.4"), (agent.router.named("gpt-5.4-mini"),))
    assert all(s.second is None for s in Shadowing(agent, arms)(TICKET).arms.values())


def test_a_share_of_tickets_is_drawn_and_always_the_same_ones() -> None:
    by = SecondOpinions(0.1, "intent", Scripted())
    tickets = [Ticket(f"t{i}", f"Text {i}") for i in range(5_000)]
    drawn = [by.draws(t) for t in tickets]
    # Five standard errors of a binomial of 5,000 at 0.1.
    assert abs(sum(drawn) - 500) < 5 * (5_000 * 0.1 * 0.9) ** 0.5
    assert drawn == [by.draws(t) for t in tickets]


@given(st.floats(0, 1), st.floats(0, 1))
def test_no_ticket_is_drawn_with_less_than_the_floor_or_more_than_certainty(share: float, own: float) -> None:
    by = SecondOpinions(share, "intent", Scripted(), chance_of=lambda _: own)
    assert share * FLOOR <= by.chance(TICKET) <= 1


def test_a_share_of_none_draws_nobody() -> None:
    assert not any(SecondOpinions(0.0, "intent", Scripted()).draws(Ticket(f"t{i}", "x")) for i in range(500))
    with pytest.raises(BadInput, match="not between 0 and 1"):
        SecondOpinions(1.5, "intent", Scripted())


@pytest.mark.parametrize("stage", ["intent", "rerank", "draft", "check", "respond", "summarise"])
def test_none_costs_more_than_the_most_and_a_sample_counts_it_apart(stage: str) -> None:
    flow = replace(load_shipped("support"), runtime=Runtime(second_opinions=1.0, opinion_stage=stage))  # type: ignore[arg-type]
    agent = guarded(make_agent(make_router(flow)), Surroundings())
    done = ticket_work(agent, {"0": TICKET}, "kr-auto")(Unit("0", Decimal(1)), Event())
    ran = summed([done.payload])
    assert ran.second == 1
    assert done.cost_usd == ran.spent_usd + ran.second_usd
    alone = LogTickets((TICKET.id,), (TICKET.text,), (TICKET.subject,), ("acme",))
    counted = count_inputs(alone, flow, agent.help_centre, agent.policies)
    by = agent.second
    assert isinstance(by, SecondOpinions)
    most = by.most_usd(agent.router, [int(counted[s.key][0].sum()) for s in flow.stages])
    assert most is not None
    assert 0 < ran.second_usd <= most
    assert TICKET.text not in json.dumps(done.payload)


def held_after(calls: int) -> tuple[Agent, Kept]:
    """Second opinions on drafts, under a run cap that lets so many of their calls out."""
    aside = Kept("second opinion")
    flow = replace(load_shipped("support"), runtime=Runtime(second_opinions=1.0, opinion_stage="draft"))
    agent = guarded(make_agent(make_router(flow)), Surroundings(aside=lambda _: aside))
    assert isinstance(agent.second, SecondOpinions)
    return replace(agent, second=replace(agent.second, caps=(HoldsAfter(calls),))), aside


class HoldsAfter(Through):
    """A cap with room for so many calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        if not self.left:
            raise HandedOver("run cap", "No room.")
        self.left -= 1
        return proceed(request, watch)


@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_a_cap_that_holds_any_of_its_calls_loses_no_receipt_of_those_before(calls: int) -> None:
    agent, aside = held_after(calls)
    ticket = samples()["02-password-reset"]
    found = second_of(run_all(agent, ticket, "kr-auto"), "draft")
    assert list(found.receipts) == [r for _, r in aside.paid_for]
    assert [r.stage for r in found.receipts] == ["draft", "judge", "judge"][:calls]
    assert found.note == "No room." if calls < 3 else found.disagrees is not None


def beside_failover(complete: Complete | None = None, stage: str = "intent") -> tuple[Agent, Surroundings]:
    runtime = Runtime(second_opinions=1.0, opinion_stage=stage, failover=FailoverRules({}))  # type: ignore[arg-type]
    around, agent = Surroundings(), make_agent(make_router(replace(load_shipped("support"), runtime=runtime)))
    return guarded(agent if complete is None else replace(agent, complete=complete), around), around


def test_no_second_opinion_goes_to_a_provider_that_is_switched_off() -> None:
    complete = Scripted()
    flow = replace(load_shipped("support"), runtime=Runtime(second_opinions=1.0, failover=FailoverRules({})))
    around = Surroundings()
    higher = make_router(flow).named(tier_over("intent")).model.provider
    around.health.take_down(higher)
    found = second_of(run_all(guarded(make(complete, flow), around), TICKET, "kr-auto"), "intent")
    assert [r.failure for r in found.receipts] == ["down"]
    assert "is switched off" in found.note
    assert [r.candidate.model.provider for r in complete.requests if r.prompt.stage == "intent"].count(higher) == 0


def test_a_judge_that_asked_to_wait_is_asked_again_only_then() -> None:
    asked: list[str] = []
    plain = make_agent(make_router(load_shipped("support"))).complete

    def limited(request: Request, watch: Watch) -> Completion:
        if request.prompt.stage == "judge":
            asked.append(request.candidate.key)
            raise CallFailed("rate_limit", "Slow down.", retry_after_s=30.0)
        return plain(request, watch)

    agent, _ = beside_failover(limited, "draft")
    ticket = samples()["02-password-reset"]
    first, again = (second_of(run_all(agent, ticket, "kr-auto"), "draft") for _ in range(2))
    assert len(asked) == 1
    assert [r.failure for r in first.receipts] == [None, "rate_limit"]
    assert [r.failure for r in again.receipts] == [None, "down"]


def test_what_a_second_opinion_learns_of_a_provider_the_tickets_know() -> None:
    def broken(request: Request) -> str | Exception:
        above = request.candidate.key == tier_over("intent")
        return CallFailed("rate_limit", "Slow down.", retry_after_s=30.0) if above else good(request)

    flow = replace(load_shipped("support"), runtime=Runtime(second_opinions=1.0, failover=FailoverRules({})))
    around = Surroundings()
    run_all(guarded(make(Scripted(broken), flow), around), TICKET, "kr-auto")
    provider = make_router(flow).named(tier_over("intent")).model.provider
    assert around.health.standing(provider).state == "open"
