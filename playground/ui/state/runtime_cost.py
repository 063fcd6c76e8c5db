"""What the parts around the calls are priced with: stages of an average round, and how often each part acts."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from playground.bill import PlanBill
from playground.forecast import Spend
from playground.gate_money import SKIPPED, UNTIL, GateCosts
from playground.money import ZERO
from playground.options import Load, stage_cost_usd
from playground.records import Model, Plan
from playground.runtime_cost import Unit
from playground.second_opinion import tier_above
from playground.ticket_prefixes import ticket_prefixes, used_cache
from playground.ui.state.basis import month_source, prompt_cache_is_on
from playground.ui.state.guards import runtime
from playground.ui.state.knobs import assumptions, pipeline, router
from playground.ui.state.log import log_desk
from playground.ui.state.meaning import embedded_usd, embedding_usd
from playground.ui.state.runs import run_router, trace
from playground.ui.state.stage_costs import cached_stages, month_spend, part_of, saved_at, stage_means


def gate_costs(plan: Plan) -> GateCosts | None:
    """What a gate's ticket costs, as the Month page has it; `None` where a price is missing."""
    spend = month_spend(plan)
    until = None if spend is None else part_of(cached_stages(plan, spend), UNTIL)
    if until is None or spend is None:
        return None
    a_round = spend.cached_usd(assumptions().tickets_per_month)
    return GateCosts(unit_of_plan(plan, spend), a_round * until, spend.mean_rounds(assumptions()))


def unit_of_plan(plan: Plan, spend: Spend) -> Unit:
    """One round under a plan, with the provider's cache as the month has it. The shares of check and answer are the stages'."""
    return _unit(cached_stages(plan, spend), spend.cached_usd(assumptions().tickets_per_month), opinion_usd())


def unit_of_ticket(bill: PlanBill, round_usd: Decimal) -> Unit:
    """The last ticket under a plan, which costs `round_usd` with what was taken off its bill."""
    found = {line.stage: bill.answers_total(line.stage).exact_usd for line in bill.lines}
    done, n = trace(), assumptions().tickets_per_month
    if done is not None and prompt_cache_is_on() and not used_cache(bill):
        prefixes = ticket_prefixes(done, run_router(), bill)
        found = {s: None if usd is None else usd - saved_at(prefixes, s, n) for s, usd in found.items()}
    return _unit({**dict.fromkeys(SKIPPED, ZERO), **found}, round_usd, opinion_usd(of_log=False))


def _unit(found: dict[str, Decimal | None], round_usd: Decimal, opinion: Decimal | None) -> Unit:
    check, answer = (round_usd * (part_of(found, (stage,)) or ZERO) for stage in SKIPPED)
    return Unit(round_usd, check, answer, opinion, embedding_usd())


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
