"""What the parts around the calls are priced with: stages of an average round, and how often each part acts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import streamlit as st

from playground.batch_costs import UNPRICED, exact_sum, in_usd
from playground.bill import PlanBill
from playground.expected_cost import stage_usds
from playground.forecast import Spend
from playground.gate_money import SKIPPED, UNTIL
from playground.guardrails.confidence import StageCosts
from playground.guardrails.gate import RULE
from playground.money import ZERO
from playground.options import Load, stage_cost_usd
from playground.outcomes import calibration_of
from playground.records import Plan
from playground.runtime_cost import Shares, Unit
from playground.second_opinion import tier_above
from playground.ui.state.basis import month_source
from playground.ui.state.caching import cache_savings, caching_desk
from playground.ui.state.guards import runtime
from playground.ui.state.knobs import agent, knobs, pipeline, router
from playground.ui.state.log import log_desk
from playground.ui.state.outcomes import calibrated, draft_outcomes
from playground.ui.state.runs import is_whole, trace, usual_bills
from playground.ui.state.sample import sample_desk
from playground.ui.state.session import notebook

ASSUMED_HANDED_OVER = 0.10
ASSUMED_TRIED_AGAIN = 0.01
ASSUMED_CACHED = 0.0


@dataclass(frozen=True, slots=True)
class Often:
    """How often a part acts, from 0 to 1, and where that is from."""

    share: float
    said: str


def stage_means(plan: Plan) -> dict[str, Decimal | None]:
    """One round of an average ticket by stage, in USD: of the log that the month is made of, else of the last ticket.

    A ticket that did not run through says nothing of the stages that it skipped; they are priced on what they should cost.
    """
    if month_source() == "log":
        return _of_log(plan)
    bills = usual_bills()
    if bills is not None and is_whole():
        return {s.key: bills[plan].stage_total(s.key).exact_usd for s in pipeline().stages}
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


def gate_costs(plan: Plan) -> StageCosts | None:
    """What a gate's ticket costs until and after the draft; `None` where a price is missing."""
    found = stage_means(plan)
    until, after = (_sum(found, stages) for stages in (UNTIL, SKIPPED))
    return None if until is None or after is None else StageCosts(until, after)


def unit_of_plan(plan: Plan, spend: Spend) -> Unit:
    """One round under a plan. The share of check and answer is that of the stages; the round itself is the month's."""
    found = stage_means(plan)
    whole, after = _sum(found, tuple(found)), _sum(found, SKIPPED)
    share = after / whole if whole and after is not None else ZERO
    return Unit(spend.one_round_usd, spend.one_round_usd * share, opinion_usd())


def unit_of_ticket(bill: PlanBill, round_usd: Decimal) -> Unit:
    """The last ticket under a plan, which costs `round_usd` with what was taken off its bill."""
    whole, after = bill.total.known_usd, sum((bill.stage_total(s).known_usd for s in SKIPPED), ZERO)
    return Unit(round_usd, round_usd * after / whole if whole else ZERO, opinion_usd(of_log=False))


def opinion_usd(of_log: bool = True) -> Decimal | None:
    """One second opinion: the next tier up on an average prompt of its stage. `None` without a price; judging is not in it."""
    flow = pipeline()
    stage = flow.stage(runtime().opinion_stage)
    higher = router().named(tier_above(flow, stage))
    tokens = max(1, round(_input_tokens(stage.key, of_log) / stage.calls))
    return stage_cost_usd(higher, Load((tokens,) * stage.calls, stage.typical_output_tokens, stage.max_output_tokens))


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
        _set("handed_over", handed_over()) if guards else None,
        _set("cached", cached()) if caches else None,
        _set("tried_again", tried_again()) if on.failover is not None else None,
        on.second_opinions,
    )


def share_key(name: str, often: Often) -> str:
    """The control of a share: a new measurement makes it a new control, which starts from it."""
    return f"part_{name}_{often.share:.6f}"


def _set(name: str, often: Often) -> float:
    return float(st.session_state.get(share_key(name, often), often.share * 100)) / 100


def handed_over() -> Often:
    """Tickets that guardrails give to a person: of the sample that ran with them, else of known drafts, else assumed."""
    return _sampled() or _of_drafts() or Often(ASSUMED_HANDED_OVER, "assumed")


def _sampled() -> Often | None:
    desk = sample_desk()
    if desk is None or not desk.payloads or desk.agent.pipeline.runtime != runtime():
        return None
    n, held = len(desk.payloads), sum(bool(p.get("handed_over")) for p in desk.payloads.values())
    return Often(held / n, f"{held:,} of {n:,} tickets of the sample")


def _of_drafts() -> Often | None:
    found, least = draft_outcomes(), runtime().confidence_gate
    if least is None or not found:
        return None
    below = sum(calibration_of(calibrated(), o.model)(o.confidence) < least for o in found)
    return Often(below / len(found), f"{RULE} alone: {below:,} of {len(found):,} drafts with a known outcome")


def tried_again() -> Often:
    """What failed tries add: of the sample, else assumed."""
    desk = sample_desk()
    receipts = [r for p in desk.payloads.values() for r in p["receipts"]] if desk is not None else []
    if not receipts or desk is None or desk.agent.provenance != _provenance():
        return Often(ASSUMED_TRIED_AGAIN, "assumed")
    failed = sum(r["outcome"] == "failed" for r in receipts)
    return Often(failed / len(receipts), f"{failed:,} of {len(receipts):,} calls of the sample")


def cached() -> Often:
    """What our own caches save, those that are on: as the replay of the log says while it still holds, else assumed."""
    on, found = runtime(), cache_savings()
    share = None if found is None else found.served_share(on.exact_cache is not None, on.semantic_cache is not None)
    if share is None:
        return Often(ASSUMED_CACHED, "assumed: nothing until a log has been replayed")
    return Often(share, "the sample log, replayed" if caching_desk().of_sample else "your log, replayed")


def _provenance() -> str:
    return "live" if knobs().mode == "Live" else "rehearsal"


def _sum(found: dict[str, Decimal | None], stages: tuple[str, ...]) -> Decimal | None:
    known = [found.get(stage) for stage in stages]
    return None if None in known else sum((usd for usd in known if usd is not None), ZERO)
