"""Pairs side by side: the current model runs as today, a candidate sees the same prompt and is seen by nobody."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from threading import Event

import pytest

from playground import tickets
from playground.bounded import Unit, run_bounded
from playground.errors import CallFailed
from playground.jobs import Jobs
from playground.loop import Agent, run_all
from playground.pairs import from_payload
from playground.pipeline import load_shipped
from playground.records import Completion, FailureKind, Request, Ticket
from playground.rehearsal import sample_rehearsal
from playground.scoring import Judge, fit_judges
from playground.shadow import Arms, Shadowing
from playground.shadow_job import Task, pairs_of, shadow_work
from playground.watch import Stopping, Watch
from playground.workshop import make_agent, make_router
from playground.worst_case import shadow_usd

ROUTER = make_router(load_shipped("support"))
AGENT = make_agent(ROUTER)
SAMPLES = list(tickets.samples().values())
CANDIDATE = ROUTER.named("gpt-5.4-mini")


def arms(stage: str) -> Arms:
    return Arms(stage, ROUTER.named(ROUTER.pipeline.stage(stage).before), (CANDIDATE,))


def judge_for(stage: str) -> Judge:
    found = arms(stage)
    return Judge.shipped(fit_judges(ROUTER.catalog, found.current, CANDIDATE)[0], AGENT.complete, "rehearsal")


def test_the_current_arm_answers_as_in_a_run_of_today() -> None:
    seen = Shadowing(AGENT, arms("draft"))(SAMPLES[0])
    today = run_all(AGENT, SAMPLES[0], "before")
    assert [s.stage for s in seen.before] == ["intent", "rerank"]
    assert seen.arms[seen_key("draft")].output == today.step("draft").output  # type: ignore[union-attr]
    assert [s.output for s in seen.before] == [s.output for s in today.steps[:2]]


def seen_key(stage: str) -> str:
    return arms(stage).current.key


def test_every_arm_gets_the_same_prompts_and_one_try() -> None:
    asked: list[Request] = []
    rehearsal = sample_rehearsal()

    def complete(request: Request, watch: Watch) -> Completion:
        asked.append(request)
        return rehearsal(request, watch)

    seen = Shadowing(replace(AGENT, complete=complete), arms("respond"))(SAMPLES[0])
    at_stage = [r for r in asked if r.prompt.stage == "respond"]
    assert {r.candidate.key for r in at_stage} == {seen_key("respond"), CANDIDATE.key}
    assert len({r.prompt for r in at_stage}) == 1
    assert all(len(step.attempts) == 1 for step in seen.arms.values())
    assert not any(r.prompt.stage == "summarise" for r in asked)


def test_an_arm_that_fails_counts_against_it_and_is_paid_for() -> None:
    rehearsal = sample_rehearsal()

    def complete(request: Request, watch: Watch) -> Completion:
        if request.candidate.key == CANDIDATE.key:
            raise CallFailed("server", "It is down.", rehearsal(request, watch))
        return rehearsal(request, watch)

    task = Task(Shadowing(replace(AGENT, complete=complete), arms("summarise")))
    done = task(SAMPLES[0], Event())
    pair = from_payload(done.payload["pairs"][CANDIDATE.key])
    assert (pair.value, pair.kind) == (-1.0, "failed")
    assert any(r.model == CANDIDATE.model.name and r.outcome == "failed" and r.cost_usd for r in done.receipts)
    assert not done.why


def test_a_stage_before_that_fails_makes_no_pair_and_says_why() -> None:
    def complete(request: Request, watch: Watch) -> Completion:
        raise CallFailed("server", "It is down.")

    done = Task(Shadowing(replace(AGENT, complete=complete), arms("draft")))(SAMPLES[0], Event())
    assert done.payload == {"pairs": {}, "why": "stopped at intent", "partial": True}
    assert "It is down." in done.why


def failing(*models: str, kind: FailureKind = "server") -> Agent:
    """The rehearsal, but that these models get no answer."""
    rehearsal = sample_rehearsal()

    def complete(request: Request, watch: Watch) -> Completion:
        if request.candidate.key in models and request.prompt.stage in ("summarise", "judge"):
            raise CallFailed(kind, "It is down.")
        return rehearsal(request, watch)

    return replace(AGENT, complete=complete)


def test_all_arms_without_an_answer_are_the_network_and_run_again() -> None:
    down = failing(CANDIDATE.key, seen_key("summarise"))
    done = Task(Shadowing(down, arms("summarise")))(SAMPLES[0], Event())
    assert (done.payload["pairs"], done.payload["partial"], done.why) == ({}, True, "It is down.")


def test_an_outage_of_the_current_model_is_no_merit_of_the_candidate() -> None:
    done = Task(Shadowing(failing(seen_key("summarise")), arms("summarise")))(SAMPLES[0], Event())
    assert (done.payload["pairs"], done.payload["partial"], done.why) == ({}, True, "It is down.")


def test_a_refused_key_is_a_setting_and_counts_against_nobody() -> None:
    done = Task(Shadowing(failing(CANDIDATE.key, kind="auth"), arms("summarise")))(SAMPLES[0], Event())
    assert (done.payload["pairs"], done.payload["partial"], done.why) == ({}, True, "It is down.")


def different_answers(by: Judge) -> Ticket:
    """A ticket on which the arms' drafts differ, so that a judge is asked."""
    task = Task(Shadowing(AGENT, arms("draft")), by)
    return next(t for t in SAMPLES if any(r.stage == "judge" for r in task(t, Event()).receipts))


def test_a_judge_without_an_answer_leaves_the_ticket_to_run_again_and_stops_the_rest() -> None:
    by = judge_for("draft")
    ticket = different_answers(by)
    silent = replace(by, complete=failing(by.candidate.key, kind="auth").complete)
    tickets_by_key = {str(i): ticket for i in range(20)}
    work = shadow_work(Task(Shadowing(AGENT, arms("draft")), silent), tickets_by_key)
    jobs = Jobs(None)
    units = [Unit(key, Decimal(0)) for key in tickets_by_key]
    found = run_bounded(units, work, workers=1, cap_usd=None, jobs=jobs, job="j", stop=Event())
    assert list(found) == []
    assert found.left == 20
    assert found.error == "5 tickets in a row got no answer, so the rest waits. The last: It is down."
    assert found.spent_usd > 0
    again = run_bounded(units, work, workers=1, cap_usd=None, jobs=jobs, job="j", stop=Event())
    assert list(again) == []
    assert again.error == found.error  # it asked again, five times, and did not give up at once
    assert again.spent_usd > found.spent_usd
    jobs.close()


def test_an_answer_of_the_judge_that_cannot_be_read_is_missing_and_kept() -> None:
    by = judge_for("draft")
    ticket = different_answers(by)
    babbling = replace(by, complete=lambda request, watch: replace(by.complete(request, watch), text="Well."))
    done = Task(Shadowing(AGENT, arms("draft")), babbling)(ticket, Event())
    assert not done.why
    assert from_payload(done.payload["pairs"][CANDIDATE.key]).missing


@pytest.mark.parametrize("stage", ["intent", "rerank", "draft", "check", "respond", "summarise"])
def test_every_stage_can_be_scored_and_no_pair_costs_more_than_the_most(stage: str) -> None:
    task = Task(Shadowing(AGENT, arms(stage)), judge_for(stage))
    for ticket in SAMPLES[:4]:
        done = task(ticket, Event())
        pair = from_payload(done.payload["pairs"][CANDIDATE.key])
        assert -1 <= pair.value <= 1
        assert pair.current_usd is not None
        assert pair.candidate_usd is not None
        assert pair.texts is None
        counted = [sum(p.input_tokens for p in s.prompts) for s in run_all(AGENT, ticket, "before").steps]
        most = shadow_usd(
            ROUTER, counted, arms(stage), judge_for(stage).candidate if stage in ("draft", "respond") else None
        )
        assert most is not None
        assert sum((r.cost_usd for r in done.receipts if r.cost_usd), Decimal(0)) < most.most_usd
        assert most.usual_usd < most.most_usd


def test_a_true_label_makes_agreement_accuracy() -> None:
    ticket = SAMPLES[0]
    told = Task(Shadowing(AGENT, arms("intent")), truth={ticket.id: "double_charge"})
    pair = from_payload(told(ticket, Event()).payload["pairs"][CANDIDATE.key])
    assert pair.kind == "accuracy"


def test_answers_are_kept_only_when_asked_for() -> None:
    task = Task(Shadowing(AGENT, arms("draft")), judge_for("draft"), keep_texts=True)
    pair = from_payload(task(SAMPLES[0], Event()).payload["pairs"][CANDIDATE.key])
    assert pair.texts is not None
    assert pair.texts[0] == SAMPLES[0].text
    assert not pair.texts[1].startswith("{")


def test_a_run_of_pairs_is_stored_and_resumed() -> None:
    by_key = {str(i): t for i, t in enumerate(SAMPLES)}
    units, jobs = [Unit(key, Decimal(1)) for key in by_key], Jobs(None)
    work = shadow_work(Task(Shadowing(AGENT, arms("intent"))), by_key)

    def run(cap: str | None) -> list[bool]:
        limit = None if cap is None else Decimal(cap)
        done = run_bounded(units, work, workers=1, cap_usd=limit, jobs=jobs, job="j", stop=Event())
        return [f.resumed for f in done]

    first = run("1.004")  # a ticket is reserved a dollar and costs a part of a cent
    assert 0 < len(first) < len(units)
    second = run(None)
    assert len(second) == len(units)
    assert second.count(True) == len(first)
    assert len(list(pairs_of(list(jobs.done("j").values()), CANDIDATE.key))) == len(units)
    jobs.close()


def test_a_cancelled_pair_is_partial() -> None:
    stop = Event()
    stop.set()
    seen = Shadowing(AGENT, arms("draft"))(Ticket("t", "Where is my invoice?"), Stopping(stop))
    assert seen.unanswered
    done = Task(Shadowing(AGENT, arms("draft")))(Ticket("t", "Where is my invoice?"), stop)
    assert done.payload["partial"]
