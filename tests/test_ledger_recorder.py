"""What a run pays for stands in the ledger before its step is shown, and before is what the bill says, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from threading import Event as Stop

import pytest

from playground import tickets
from playground.answer_store import Answers
from playground.bill import bills
from playground.bounded import Finished, Unit
from playground.cache import ExactCache
from playground.errors import CallFailed
from playground.guarded import Surroundings, guarded
from playground.jobs import Jobs
from playground.ledger import Filter, Ledger, Recorder, ticket_digest
from playground.loop import Agent, run, run_all
from playground.money import Total
from playground.options import Settings
from playground.pipeline import load_shipped
from playground.records import (
    ASSURANCES,
    CLIMBED,
    EMBEDDED,
    PLANS,
    Assurance,
    Completion,
    Plan,
    Provenance,
    Purpose,
    Request,
    Usage,
)
from playground.runtime import CostCaps, Runtime
from playground.scoring import Judge, fit_judges
from playground.shadow import Arms, Shadowing
from playground.shadow_job import Task
from playground.ui.bounded_work import BoundedWork
from playground.watch import Watch
from playground.workshop import make_agent, make_router
from tests.scripted import TICKET, Scripted, good, make
from tests.test_middleware import HoldsAt


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with closing(Ledger(None)) as opened:
        yield opened


def recorded(agent: Agent, ledger: Ledger, purpose: Purpose = "ticket", **more: object) -> Agent:
    return replace(agent, record=Recorder(ledger, agent.router, purpose, agent.provenance, "run", **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("pipeline", ["support", "article-2025"])
def test_spend_and_before_are_those_of_the_bill(ledger: Ledger, plan: Plan, pipeline: str) -> None:
    agent = make_agent(make_router(load_shipped(pipeline)))
    plain = (t for t in tickets.samples().values() if all(r.outcome == "ok" for r in run_all(agent, t, plan).receipts))
    trace = run_all(recorded(agent, ledger), next(plain), plan)
    plans = bills(trace, agent.router)
    (whole,) = ledger.spend()
    assert (whole.total, whole.before, whole.tickets) == (plans[plan].total, plans["before"].total, 1)
    for stage in ledger.spend(("stage",)):
        assert stage.before == plans["before"].stage_total(str(stage.key[0]))
        assert stage.total == plans[plan].stage_total(str(stage.key[0]))


@pytest.mark.parametrize("assurance", ASSURANCES)
def test_a_receipt_of_kr_auto_says_how_it_chose_and_others_say_nothing(ledger: Ledger, assurance: Assurance) -> None:
    agent = make(Scripted(), load_shipped("support"), Settings(assurance=assurance))
    for plan in PLANS:
        run_all(recorded(agent, ledger), TICKET, plan)
    told = {(s.key[0], s.key[1]) for s in ledger.spend(("plan", "assurance"))}
    assert told == {("before", None), ("stratified", None), ("kr-auto", assurance)}
    assert {k.entry.receipt.plan for k in ledger.entries(Filter(assurances=(assurance,)))} == {"kr-auto"}


class Metered(Scripted):
    """A provider that meters thinking and its own cache."""

    def __call__(self, request: Request, watch: Watch) -> Completion:
        done = super().__call__(request, watch)
        return replace(done, usage=Usage(request.prompt.input_tokens, 333, 50, 20, 133, "provider"))


@pytest.mark.parametrize("pinned", [None, "claude-opus-4-5", "claude-opus-5"])
def test_a_metered_run_is_compared_as_the_bill_compares_it(ledger: Ledger, pinned: str | None) -> None:
    flow = load_shipped("support")
    pins = {} if pinned is None else {s.key: pinned for s in flow.stages}
    agent = recorded(make(Metered(), flow, Settings(pins=pins)), ledger)
    plans = bills(run_all(agent, TICKET, "kr-auto"), agent.router)
    (whole,) = ledger.spend()
    assert (whole.total, whole.before) == (plans["kr-auto"].total, plans["before"].total)


def test_an_answer_out_of_our_cache_is_compared_by_what_its_call_used(ledger: Ledger) -> None:
    with closing(Answers(None)) as answers:
        agent = recorded(replace(make(Metered()), middleware=(ExactCache(answers, "live"),)), ledger)
        run_all(agent, TICKET, "kr-auto")
        first = ledger.spend()[0]
        agent = recorded(agent, Ledger(None))
        trace = run_all(agent, TICKET, "kr-auto")
    assert {r.source for r in trace.receipts} == {"exact cache"}
    again = agent.record.ledger.spend()[0]  # type: ignore[attr-defined]
    assert again.total == Total()
    assert again.before == first.before == bills(trace, agent.router)["before"].total
    assert again.saved_usd == first.total.known_usd


def test_a_failed_call_is_billed_and_replaces_nothing(ledger: Ledger) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> str | Exception:
        if request.prompt.stage == "draft":
            seen.append(request)
            if len(seen) == 1:
                return CallFailed("cut_stream", "Broke off.", Completion("x", Usage(1_000, 50), "live"))
        return good(request)

    agent = recorded(make(Scripted(answer)), ledger)
    trace = run_all(agent, TICKET, "kr-auto")
    failed, used = [k.entry for k in ledger.entries(Filter(stages=("draft",)))][::-1]
    assert (failed.receipt.outcome, failed.before_usd, used.receipt.outcome) == ("failed", None, "ok")
    (whole,) = ledger.spend()
    assert whole.failed_usd == failed.receipt.cost_usd > 0  # type: ignore[operator]
    plans = bills(trace, agent.router)
    assert whole.total == plans["kr-auto"].total
    assert whole.before == plans["before"].total


def test_every_receipt_is_in_the_ledger_before_its_step_is_shown(ledger: Ledger) -> None:
    agent, shown = recorded(make(), ledger), 0
    for step in run(agent, TICKET, "kr-auto"):
        shown += len(step.receipts)
        assert ledger.spend()[0].attempts == shown
    kept = [k.entry for k in ledger.entries()]
    assert {(e.run, e.purpose, e.customer, e.ticket_digest, e.text) for e in kept} == {
        ("run", "ticket", "acme", ticket_digest(TICKET), None)
    }
    assert ticket_digest(TICKET) != ticket_digest(replace(TICKET, text="Other."))


def test_text_is_kept_only_where_it_was_asked_for(ledger: Ledger) -> None:
    run_all(recorded(make(), ledger, keep_text=True), TICKET, "before")
    assert {k.entry.text for k in ledger.entries()} == {"Refund\n\nWhere is my refund for topic 3?"}


def test_a_handover_is_an_event(ledger: Ledger) -> None:
    run_all(replace(recorded(make(), ledger), middleware=(HoldsAt("draft"),)), TICKET, "before")
    (event,) = ledger.events()
    assert (event.kind, event.subject, event.customer, event.run) == ("handover", "draft", "acme", "run")
    assert event.said.startswith("cap: ")


@pytest.mark.parametrize(
    ("caps", "rule"),
    [
        (CostCaps(times_expected=Decimal("0.01")), "cost ceiling"),
        (CostCaps(call_usd=Decimal("0.000001")), "call cap"),
        (CostCaps(run_usd=Decimal("0.000001")), "run cap"),
    ],
)
def test_a_ticket_that_a_cap_ends_is_an_event_of_its_own_kind(ledger: Ledger, caps: CostCaps, rule: str) -> None:
    agent = make(pipeline=replace(load_shipped("support"), runtime=Runtime(cost_caps=caps)))
    run_all(guarded(recorded(agent, ledger), Surroundings()), TICKET, "kr-auto")
    found = ledger.events()
    assert {e.kind for e in found} == {"cap"}
    assert all(e.said.startswith(f"{rule}: ") for e in found)


def test_a_cap_that_ends_a_sample_is_an_event(ledger: Ledger) -> None:
    agent = recorded(make(), ledger, "sample")
    units = [Unit(str(n), Decimal("0.4")) for n in range(5)]
    told: list[int] = []

    def spend(unit: Unit, stop: Stop) -> Finished:
        return Finished(unit.key, {}, Decimal("0.4"))

    def at_cap(left: int) -> None:
        told.append(left)
        agent.record.capped(Decimal(1), left)  # type: ignore[attr-defined]

    for cap in (Decimal(1), Decimal(5)):
        BoundedWork(units, spend, cap, Jobs(None), f"job {cap}", at_cap).start(10)
    assert told == [3]
    (found,) = ledger.events()
    assert (found.kind, found.subject, found.run) == ("cap", "sample", "run")
    assert found.said == "sample run: the cap of $1.00 ended it; 3 tickets did not run."


def test_another_models_answer_is_an_event(ledger: Ledger) -> None:
    recorder = Recorder(ledger, make().router, "ticket", "live")
    agent = make()
    seen: list[Request] = []
    agent = replace(agent, complete=Scripted(lambda r: seen.append(r) or good(r)))  # type: ignore[func-returns-value]
    trace = run_all(agent, TICKET, "before")
    moved = replace(trace.receipts[0], rule="failover: anthropic was down")
    recorder.paid(seen[0], [replace(trace.receipts[0], outcome="failed"), moved])
    (event,) = ledger.events(kinds=("failover",))
    assert (event.subject, event.said) == (f"intent: {moved.model}", "failover: anthropic was down")
    recorder.paid(seen[0], [replace(moved, rule=f"{CLIMBED} after gpt-5.4: its answer did not pass")])
    recorder.paid(seen[0], [replace(moved, rule=EMBEDDED)])
    assert len(ledger.events(kinds=("failover",))) == 1


def test_evaluations_are_kept_with_their_judges_and_compared_with_nothing(ledger: Ledger) -> None:
    agent = recorded(make_agent(make_router(load_shipped("support"))), ledger, "shadow")
    current, candidate = agent.router.named("claude-opus-4-5"), agent.router.named("gpt-5.4-mini")
    by = fit_judges(agent.router.catalog, current, candidate, agent.router.evidence)[0]
    judge = replace(Judge.shipped(by, agent.complete, agent.provenance), record=agent.record)
    task = Task(Shadowing(agent, Arms("draft", current, (candidate,))), judge)
    receipts = [r for ticket in tickets.samples().values() for r in task(ticket, Stop()).receipts]
    (whole,) = ledger.spend()
    assert whole.total == Total.of(r.cost_usd for r in receipts)
    assert whole.before == Total()
    assert {s.key for s in ledger.spend(("purpose",))} == {("shadow",)}
    assert ("judge",) in {s.key for s in ledger.spend(("stage",))}


def test_provenances_are_told_apart(ledger: Ledger) -> None:
    kinds: tuple[Provenance, ...] = ("live", "rehearsal")
    for kind in kinds:
        agent = recorded(make(), ledger)
        run_all(replace(agent, provenance=kind, complete=_as(kind)), TICKET, "before")
    found = {s.key: s.total for s in ledger.spend(("provenance",))}
    assert set(found) == {("live",), ("rehearsal",)}
    assert ledger.spend((), Filter("live"))[0].total == found["live",]


def _as(kind: Provenance) -> Scripted:
    class Kind(Scripted):
        def __call__(self, request: Request, watch: Watch) -> Completion:
            return replace(super().__call__(request, watch), provenance=kind)

    return Kind()


def test_money_is_whole_in_picodollars_under_every_plan(ledger: Ledger) -> None:
    agent = recorded(make(Scripted(output_tokens=101)), ledger)
    trace = run_all(agent, TICKET, "kr-auto")
    for bill in bills(trace, agent.router).values():
        assert all(
            li.cost_usd == li.cost_usd.quantize(Decimal("1e-12")) for li in bill.lines if li.cost_usd is not None
        )
