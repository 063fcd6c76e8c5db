"""Second opinions that runs asked for, beside those that the page draws; rehearsed ones never stand with live ones."""

from __future__ import annotations

from collections.abc import Sequence

from playground.money import ZERO, usd
from playground.records import Provenance
from playground.ui import state
from playground.ui.widgets import counted


def runs_beside(stage: str, desk: state.DriftDesk | None) -> tuple[state.AskedSecond, ...]:
    """Those of the same kind as the page's own, or as what runs now where the page has none."""
    return state.asked_second(stage, _kind(desk))


def least_share(share: float, asked: Sequence[state.AskedSecond]) -> float:
    """The share that all of them were drawn with at least: the watch weighs each sample against it."""
    return min((share, *(a.share for a in asked)))


def runs_said(asked: Sequence[state.AskedSecond]) -> str:
    """What they are and cost, in a sentence; empty where there are none."""
    if not asked:
        return ""
    untold = sum(a.sample is None for a in asked)
    unclear = f", {untold:,} of which nobody could tell" if untold else ""
    cost = usd(sum((a.cost_usd for a in asked), ZERO))
    how = "Rehearsal: no model was called." if asked[0].provenance == "rehearsal" else "Live."
    return f"{counted(len(asked), 'second opinion')} asked for by runs of this session{unclear}, for {cost}. {how}"


def _kind(desk: state.DriftDesk | None) -> Provenance:
    if desk is None:
        return "live" if state.knobs().mode == "Live" else "rehearsal"
    return "live" if desk.task is None else desk.task.shadowing.agent.provenance
