"""How often each part that stands around the calls acts: measured where it was, else assumed and said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import streamlit as st

from playground.bill import elsewhere
from playground.gate_money import SKIPPED
from playground.guardrails import RULES
from playground.guardrails.gate import RULE
from playground.money import ZERO, usd
from playground.outcomes import STAGE, outcomes_for, weighed
from playground.prices import cost_usd
from playground.records import Usage
from playground.runtime_cost import Held, Shares
from playground.ui.state.caching import cache_savings, caching_desk
from playground.ui.state.guards import runtime
from playground.ui.state.knobs import knobs, pipeline, router
from playground.ui.state.meaning import by_letters_why
from playground.ui.state.outcomes import calibrated, draft_outcomes
from playground.ui.state.runs import plan_bills
from playground.ui.state.sample import sample_desk
from playground.ui.state.stage_costs import part_of, stage_means

ASSUMED_TRIED_AGAIN = 0.01
ASSUMED_CACHED = 0.0


@dataclass(frozen=True, slots=True)
class Often:
    """How often a part acts, from 0 to 1, and where that is from."""

    share: float
    said: str
    held: Held | None = None
    """How far the tickets came that guardrails gave to a person."""


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
        intent = part_of(stage_means("kr-auto"), ("intent",)) or ZERO
        by_meaning = float(intent) * meant.hits / meant.requests
        how = f"Intent by meaning as tuned, {meant.hits / meant.requests:.1%} of tickets"
        return Often((share or 0.0) + by_meaning, how if share is None else f"{said}; {how}")
    if share is None:
        return Often(ASSUMED_CACHED, "assumed: nothing until a log has been replayed")
    return Often(share, said)


def _provenance() -> str:
    return "live" if knobs().mode == "Live" else "rehearsal"
