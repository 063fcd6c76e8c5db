"""The suggested equivalents: the rule of failover allows each, what is missing is said, and no outage stops a sample ticket."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest

from playground.equivalents import Permission, check_equivalents, router_rules
from playground.guarded import Surroundings, guarded
from playground.loop import context_of, run_all
from playground.pipeline import load_shipped
from playground.records import OutputSpec, Request, Step, Trace
from playground.runtime import FailoverRules, Runtime
from playground.suggestions import Suggestion, lacking, suggested
from playground.tickets import samples
from playground.workshop import make_agent, make_router

FLOW = load_shipped("support")
ROUTER = make_router(FLOW)
TODAY = Permission(up_to_today=True)


@cache
def ran(name: str) -> Trace:
    return run_all(make_agent(ROUTER), samples()[name], "kr-auto")


def suggestion(name: str, permission: Permission = TODAY) -> Suggestion:
    return suggested(ROUTER, [(s.decision, s.prompts) for s in ran(name).steps], permission)


def preset(name: str) -> tuple[Suggestion, Permission]:
    """The list that the page offers where the first one leaves a stage without anybody."""
    factor = suggestion(name).factor or Decimal(1)
    permission = Permission(factor, up_to_today=True)
    return suggestion(name, permission), permission


def requests(step: Step, name: str) -> list[Request]:
    trace = ran(name)
    before = {s.stage: s for s in trace.steps[: trace.steps.index(step)]}
    stage, agent = FLOW.stage(step.stage), make_agent(ROUTER)
    context = context_of(agent, stage, trace.ticket, before)
    output, longest, typical = OutputSpec("text"), stage.max_output_tokens, stage.typical_output_tokens
    return [Request(step.decision.chosen, p, output, longest, typical, context) for p in step.prompts]


@pytest.mark.parametrize("name", samples())
def test_what_is_suggested_is_allowed_at_the_stage_that_it_is_for(name: str) -> None:
    for found, permission in ((suggestion(name), TODAY), preset(name)):
        listed, rule = check_equivalents(found.equivalents, ROUTER.named), router_rules(ROUTER, permission)
        lack = {at.stage for at in found.lacking}
        for step in ran(name).steps:
            others = (*listed.get(step.decision.chosen.key, ()), *step.decision.ladder[1:])
            allowed = [c for c in others if all(rule(r, c).ok for r in requests(step, name))]
            elsewhere = [c for c in allowed if c.model.provider != step.decision.chosen.model.provider]
            assert elsewhere or step.stage in lack


@pytest.mark.parametrize("name", samples())
def test_with_any_one_provider_down_every_sample_ticket_is_finished_by_stated_rules(name: str) -> None:
    found, permission = preset(name)
    assert found.lacking == ()
    rules = FailoverRules(found.equivalents, permission.dearer_up_to, up_to_today=True)
    agent = make_agent(make_router(replace(FLOW, runtime=Runtime(failover=rules))))
    for provider in {s.decision.chosen.model.provider for s in ran(name).steps}:
        around = Surroundings()
        around.health.take_down(provider)
        trace = run_all(guarded(agent, around), samples()[name], "kr-auto")
        assert [s.state for s in trace.steps] == ["done"] * len(FLOW.stages), (provider, trace.steps[-1].message)
        assert provider not in {r.provider for r in trace.receipts if r.outcome != "failed"}
        rejected = {(r.stage, r.call) for r in trace.receipts if r.outcome == "rejected"}
        moved = [r for r in trace.receipts if r.attempt > 1 and (r.stage, r.call) not in rejected]
        assert all(r.rule.startswith("failover: ") for r in moved)


def test_a_stage_that_nobody_may_help_is_named_with_what_it_would_take() -> None:
    found = suggestion("02-password-reset")
    assert [at.stage for at in found.lacking if at.candidate == ran("02-password-reset").steps[1].decision.chosen] == [
        "rerank"
    ]
    step = ran("02-password-reset").steps[1]
    assert found.factor is not None
    rule, short = (
        router_rules(ROUTER, Permission(f, up_to_today=True)) for f in (found.factor, found.factor - Decimal("0.1"))
    )
    passing = [c.candidate for c in step.decision.considered if c.passes]
    elsewhere = [c for c in passing if c.model.provider != step.decision.chosen.model.provider]
    asked = requests(step, "02-password-reset")
    assert any(all(rule(r, c).ok for r in asked) for c in elsewhere)
    assert not any(all(short(r, c).ok for r in asked) for c in elsewhere)


def test_a_list_of_one_s_own_is_looked_at_by_the_same_rule() -> None:
    decided = [(s.decision, s.prompts) for s in ran("02-password-reset").steps]
    assert {at.stage for at in lacking(ROUTER, decided, {}, TODAY)} > {
        at.stage for at in suggestion("02-password-reset").lacking
    }
    found, permission = preset("02-password-reset")
    assert lacking(ROUTER, decided, check_equivalents(found.equivalents, ROUTER.named), permission) == ()


def test_nothing_decided_suggests_nothing() -> None:
    assert suggested(ROUTER, []) == Suggestion({}, ())
