"""Which stages are tried first, who would take each over, and which of its trials speaks for it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from playground.migration.facts import Facts, StageFacts, Trial
from playground.money import ZERO

THREE = 3
"""The article's number of candidate stages."""
_TIERS = ("cheap", "mid", "frontier")


@dataclass(frozen=True, slots=True)
class Picked:
    """The stages of weeks 2 and 3, those that kr-auto takes in week 4, and those that stay as they are."""

    first: tuple[StageFacts, ...]
    later: tuple[StageFacts, ...]
    stay: tuple[StageFacts, ...]


def picked(facts: Facts) -> Picked:
    """Cheap-tier stages where evidence lets a cheaper model in, the most saving first; then the other tiers.

    Before anything is priced, the cheap-tier stages in their order.
    """
    if not facts.is_priced:
        first = tuple(s for s in facts.stages if s.tier == "cheap")[:THREE]
        return Picked(first, (), tuple(s for s in facts.stages if s not in first))
    open_ = sorted((s for s in facts.stages if _is_open(s)), key=_rank)
    order = [s for s in facts.stages if s in open_[THREE:]]
    return Picked(tuple(open_[:THREE]), tuple(order), tuple(s for s in facts.stages if s not in open_))


def _is_open(stage: StageFacts) -> bool:
    return bool(stage.trials) or (saves(stage) or ZERO) > 0


def _rank(stage: StageFacts) -> tuple[int, Decimal]:
    return _TIERS.index(stage.tier) if stage.tier in _TIERS else len(_TIERS), -(saves(stage) or ZERO)


def saves(stage: StageFacts) -> Decimal | None:
    """What the stage saves a month with the candidate that its trial is of, else with kr-auto's by estimates.

    So too after a rehearsal that kept today's model.
    """
    trial = speaking(stage)
    after = stage.routed_usd if trial is None or trial.is_rehearsed_keep else trial.usd_month
    return None if stage.before_usd is None or after is None else stage.before_usd - after


def candidate(stage: StageFacts) -> str:
    """Who would take the stage over, or was tried there."""
    trial = speaking(stage)
    return stage.routed if trial is None else trial.candidate


def speaking(stage: StageFacts) -> Trial | None:
    """The trial that the plan goes by: live before rehearsed, then the nearest to a cut-over, then the most pairs."""
    return min(stage.trials, key=lambda t: (not t.is_live, _distance(t), -t.pairs), default=None)


def _distance(trial: Trial) -> int:
    if trial.void:
        return 4
    if trial.verdict == "CUT OVER":
        return 0 if trial.recorded else 1
    return 2 if trial.verdict == "CONTINUE" else 3
