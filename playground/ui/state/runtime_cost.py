"""What the parts around the calls are priced with: stages of an average round, and how often each part acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import streamlit as st

from playground.batch_costs import UNPRICED, exact_sum, in_usd
from playground.bill import PlanBill, elsewhere
from playground.expected_cost import expected_prefixes, stage_usds
from playground.forecast import Spend
from playground.gate_money import SKIPPED, UNTIL, GateCosts
from playground.guardrails import RULES
from playground.guardrails.gate import RULE
from playground.money import ZERO, usd
from playground.options import Load, stage_cost_usd
from playground.outcomes import STAGE, outcomes_for, weighed
from playground.prices import cost_usd
from playground.prompt_caching import CachedPrefix, saved_usd
from playground.records import Model, Plan, Usage
from playground.runtime_cost import Held, Shares, Unit
from playground.second_opinion import tier_above
from playground.ticket_prefixes import ticket_prefixes, used_cache
from playground.ui.state.basis import basis, month_source, prompt_cache_is_on
from playground.ui.state.caching import cache_savings, caching_desk
from playground.ui.state.guards import runtime
from playground.ui.state.knobs import agent, assumptions, knobs, pipeline, router
from playground.ui.state.log import log_desk
from playground.ui.state.meaning import by_letters_why, embedded_usd, embedding_usd
from playground.ui.state.outcomes import calibrated, draft_outcomes
from playground.ui.state.runs import is_whole, plan_bills, run_router, trace, unpriced, usual_bills
from playground.ui.state.sample import sample_desk
from playground.ui.state.session import notebook

ASSUMED_TRIED_AGAIN = 0.01
ASSUMED_CACHED = 0.0


@dataclass(frozen=True, slots=True)
class Often:
    """How often a part acts, from 0 to 1, and where that is from."""

    share: float
    said: str
    held: Held | None = None
    """How far the tickets came that guardrails gave to a person."""


def stage_means(plan: Plan) -> dict[str, Decimal | None]:
    """One round of an average ticket by stage, in USD: of the log that the month is made of, else of the last ticket.

    A ticket that did not run through says nothing of the stages that it skipped; they are priced on what they should cost.
    """
    if month_source() == "log":
        return _of_log(plan)
    bills = usual_bills()
    if bills is not None and is_whole():
        return {s.key: bills[plan].answers_total(s.key).exact_usd for s in pipeline().stages}
    return expected_stages(plan)


def expected_stages(plan: Plan) -> dict[str, Decimal | None]:
    """What each stage should cost for the ticket in the notebook: counted prompts and typical answers."""
    done, by = trace(), agent()
    ticket = notebook().ticket if done is None else done.ticket
    return stage_usds(by.router, by.help_centre, by.policies, ticket, plan)


def _of_log(plan: Plan) -> dict[str, Decimal | None]:
    batch = log_desk().priced
    assert batch is not None
    costs = batch.costs[plan]
    known = costs[(costs != UNPRICED).all(axis=1)]
    n = max(1, len(known))
    return {stage: in_usd(exact_sum(known[:, i])) / n for i, stage in enumerate(batch.stages)}


def gate_costs(plan: Plan) -> GateCosts | None:
    """What a gate's ticket costs, as the Month page has it; `None` where a price is missing."""
    spend = _spend(plan)
    until = None if spend is None else _part(_cached_stages(plan, spend), UNTIL)
    if until is None or spend is None:
        return None
    a_round = spend.cached_usd(assumptions().tickets_per_month)
    return GateCosts(unit_of_plan(plan, spend), a_round * until, spend.mean_rounds(assumptions()))


def _spend(plan: Plan) -> Spend | None:
    """The month's average ticket; where nothing ran through, what one should cost."""
    plans = plan_bills()
    if month_source() == "log" or (plans is not None and is_whole() and not unpriced(plans)):
        return basis().spends[plan]
    found = stage_means(plan)
    whole = _sum(found, tuple(found))
    if whole is None:
        return None
    done, by = trace(), agent()
    ticket = notebook().ticket if done is None else done.ticket
    is_on = prompt_cache_is_on()
    prefixes = expected_prefixes(by.router, by.help_centre, by.policies, ticket, plan) if is_on else ()
    return Spend(whole, prefixes=prefixes)


def _cached_stages(plan: Plan, spend: Spend) -> dict[str, Decimal | None]:
    """What each stage costs with the provider's cache as the month has it: it sits in some stages only."""
    n, found = assumptions().tickets_per_month, stage_means(plan)
    return {s: None if usd is None else usd - _saved_at(spend.prefixes, s, n) for s, usd in found.items()}


def _saved_at(prefixes: Sequence[CachedPrefix], stage: str, n: int) -> Decimal:
    return saved_usd((p for p in prefixes if p.stage == stage), n)


def unit_of_plan(plan: Plan, spend: Spend) -> Unit:
    """One round under a plan, with the provider's cache as the month has it. The shares of check and answer are the stages'."""
    return _unit(_cached_stages(plan, spend), spend.cached_usd(assumptions().tickets_per_month), opinion_usd())


def unit_of_ticket(bill: PlanBill, round_usd: Decimal) -> Unit:
    """The last ticket under a plan, which costs `round_usd` with what was taken off its bill."""
    found = {line.stage: bill.answers_total(line.stage).exact_usd for line in bill.lines}
    done, n = trace(), assumptions().tickets_per_month
    if done is not None and prompt_cache_is_on() and not used_cache(bill):
        prefixes = ticket_prefixes(done, run_router(), bill)
        found = {s: None if usd is None else usd - _saved_at(prefixes, s, n) for s, usd in found.items()}
    return _unit({**dict.fromkeys(SKIPPED, ZERO), **found}, round_usd, opinion_usd(of_log=False))


def _unit(found: dict[str, Decimal | None], round_usd: Decimal, opinion: Decimal | None) -> Unit:
    check, answer = (round_usd * (_part(found, (stage,)) or ZERO) for stage in SKIPPED)
    return Unit(round_usd, check, answer, opinion, embedding_usd())


def _part(found: dict[str, Decimal | None], stages: tuple[str, ...]) -> Decimal | None:
    """What some stages are of the whole; `None` where a price is missing."""
    some, whole = _sum(found, stages), _sum(found, tuple(found))
    return None if some is None or whole is None else some / whole if whole else ZERO


def opinion_usd(of_log: bool = True) -> Decimal | None:
    """One second opinion: the next tier up on an average prompt of its stage. `None` without a price; judging is not in it."""
    flow = pipeline()
    stage = flow.stage(runtime().opinion_stage)
    higher = router().named(tier_above(flow, stage))
    tokens = max(1, round(_input_tokens(stage.key, of_log) / stage.calls))
    return stage_cost_usd(higher, Load((tokens,) * stage.calls, stage.typical_output_tokens, stage.max_output_tokens))


def meaning_month(model: Model, hit_share: float) -> tuple[Decimal, Decimal] | None:
    """What hits by meaning save at Intent in a month of kr-auto, and what embedding its tickets costs; `None` without a price."""
    intent, asked = stage_means("kr-auto").get("intent"), embedded_usd(model)
    if intent is None or asked is None:
        return None
    n = assumptions().tickets_per_month
    return intent * Decimal(repr(hit_share)) * n, asked * n


def _input_tokens(stage: str, of_log: bool) -> float:
    batch = log_desk().priced
    if of_log and month_source() == "log" and batch is not None:
        return float(np.mean(batch.input_tokens[:, batch.stages.index(stage)]))
    done = trace()
    step = None if done is None else done.step(stage)
    return float(sum(p.input_tokens for p in step.prompts)) if step is not None else 0.0


def part_shares() -> Shares:
    """How often each part that is on acts, as set on the Month page."""
    on = runtime()
    guards = on.confidence_gate is not None or on.escalation is not None or on.leaks is not None
    caches = on.exact_cache is not None or on.semantic_cache is not None
    return Shares(
        _held() if guards else None,
        _set("cached", cached()) if caches else None,
        _set("tried_again", tried_again()) if on.failover is not None else None,
        on.second_opinions,
    )


def share_key(name: str, often: Often) -> str:
    """The control of a share: a new measurement makes it a new control, which starts from it."""
    return f"part_{name}_{often.share:.6f}"


def _set(name: str, often: Often) -> float:
    return float(st.session_state.get(share_key(name, often), often.share * 100)) / 100


def _held() -> Held:
    often = handed_over()
    return replace(often.held or Held(0.0), share=_set("handed_over", often))


def handed_over() -> Often:
    """Tickets that guardrails give to a person: of the sample that ran with them, else of known drafts, else none."""
    return _sampled() or _of_drafts() or Often(0.0, "not measured, so none are counted")


def _sampled() -> Often | None:
    desk = sample_desk()
    if desk is None or not desk.payloads or desk.agent.pipeline.runtime != runtime():
        return None
    n, held = len(desk.payloads), [p for p in desk.payloads.values() if p.get("handed_over")]
    check, answer = (_mean([all(r["stage"] != stage for r in p["receipts"]) for p in held]) for stage in SKIPPED)
    named = _mean([p["handed_over"] in RULES for p in held])
    said = f"{len(held):,} of {n:,} tickets of the sample"
    return Often(len(held) / n, said, Held(len(held) / n, check, answer, named))


def _mean(holds: Sequence[bool]) -> float:
    return sum(holds) / len(holds) if holds else 0.0


def drafting_model() -> str:
    """Who drafts under the plan that is chosen, as far as the last run tells; else what the stage runs on today."""
    plans = plan_bills()
    decision = None if plans is None else plans[knobs().plan].decision(STAGE)
    if decision is not None:
        return decision.chosen.key
    return router().named(pipeline().stage(STAGE).before).key


def _of_drafts() -> Often | None:
    """Of the drafts of the model that drafts now: those of another state another confidence."""
    least, model = runtime().confidence_gate, drafting_model()
    own = outcomes_for(draft_outcomes(), model)
    if least is None or not own:
        return None
    below = sum(sure < least for sure in weighed(own, calibrated()))
    whose = f"{below:,} of {len(own):,} drafts {'of ' + model if own[0].model else ''}".strip()
    return Often(below / len(own), f"{RULE} alone: {whose} with a known outcome")


def tried_again() -> Often:
    """What failed tries and dearer equivalents add to what answers cost: of the sample, else assumed."""
    desk = sample_desk()
    receipts = [r for p in desk.payloads.values() for r in p["receipts"]] if desk is not None else []
    if not receipts or desk is None or desk.agent.provenance != _provenance():
        return Often(ASSUMED_TRIED_AGAIN, "assumed")
    failed = [r for r in receipts if r["outcome"] == "failed"]
    dearer = sum((_dearer_usd(r) for r in receipts), ZERO)
    added = _paid_usd(failed) + dearer
    usual = _paid_usd(receipts) - added
    said = f"{usd(added)} on top of {usd(usual)} in the sample, {len(failed):,} of whose {len(receipts):,} calls failed"
    return Often(min(1.0, max(0.0, float(added / usual))) if usual > 0 else 0.0, said)


def _paid_usd(receipts: Sequence[Mapping[str, Any]]) -> Decimal:
    return sum((Decimal(r["cost_usd"]) for r in receipts if r["cost_usd"] is not None), ZERO)


def _dearer_usd(r: Mapping[str, Any]) -> Decimal:
    """What an answer cost more than the model that was asked first would have taken; below 0 where it cost less."""
    if "instead_of" not in r or r["cost_usd"] is None:
        return ZERO
    used = Usage(r["input_tokens"], r["output_tokens"], reasoning_tokens=r["reasoning_tokens"])
    asked = router().named(r["instead_of"])
    known = cost_usd(elsewhere(pipeline().stage(r["stage"]), used, asked), asked.model.price)
    return ZERO if known is None else Decimal(r["cost_usd"]) - known


def cached() -> Often:
    """What our own caches save, those that are on: as the replay of the log says while it still holds, else assumed."""
    on, found = runtime(), cache_savings()
    meant = on.semantic_embedding if on.semantic_cache is not None and not by_letters_why() else None
    letters = on.semantic_cache is not None and meant is None
    share = None if found is None else found.served_share(on.exact_cache is not None, letters)
    said = "the sample log, replayed" if caching_desk().of_sample else "your log, replayed"
    if meant is not None:
        intent = _part(stage_means("kr-auto"), ("intent",)) or ZERO
        by_meaning = float(intent) * meant.hits / meant.requests
        how = f"Intent by meaning as tuned, {meant.hits / meant.requests:.1%} of tickets"
        return Often((share or 0.0) + by_meaning, how if share is None else f"{said}; {how}")
    if share is None:
        return Often(ASSUMED_CACHED, "assumed: nothing until a log has been replayed")
    return Often(share, said)


def _provenance() -> str:
    return "live" if knobs().mode == "Live" else "rehearsal"


def _sum(found: dict[str, Decimal | None], stages: tuple[str, ...]) -> Decimal | None:
    known = [found.get(stage) for stage in stages]
    return None if None in known else sum((usd for usd in known if usd is not None), ZERO)
