"""The article's four weeks over the user's own numbers, what they save, and a step taken back. Pure: facts in, steps out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from playground.errors import BadInput
from playground.migration.choice import picked
from playground.migration.cutting import cut, routed, switch
from playground.migration.early import customers, paper, receipts, shadow
from playground.migration.facts import Facts, Saved, StageFacts, Trial
from playground.migration.guarding import GUARDS, digest, guard_off, guards
from playground.migration.step import State, Step
from playground.money import ZERO, Total


def plan(facts: Facts) -> tuple[Step, ...]:
    """Every step, in the order of the weeks."""
    found, on = picked(facts), switch(facts)
    return (
        receipts(facts),
        customers(facts),
        paper(facts, found),
        *(shadow(facts, s) for s in found.first),
        *(cut(facts, s) for s in found.first),
        on,
        *(routed(facts, s, on.state) for s in found.later),
        *guards(facts),
        digest(facts),
    )


GOING_ON: tuple[State, ...] = ("done", "passed", "rehearsed", "ready", "waiting", "blocked")
"""Every state but `failed`."""


@dataclass(frozen=True, slots=True)
class Savings:
    """What the plan saves, in USD a month where not said otherwise. All but `so_far` are estimates."""

    so_far: Saved
    """From the receipts of live runs, in all."""
    stop_here: Total
    """With only the steps that are done: passed, and in force."""
    rehearsed: Total
    """With only the steps that passed in rehearsals; no part of `stop_here`."""
    potential: Total
    """With every step that has not failed."""
    before_usd: Decimal | None
    """A month on today's models."""
    done: int
    steps: int


def savings(facts: Facts) -> Savings:
    """Add up what the steps save."""
    steps = plan(facts)
    month = Total.of(s.before_usd for s in facts.stages)
    return Savings(
        facts.saved,
        saved_by(steps, ("done",)),
        saved_by(tuple(s for s in steps if not s.was_kept), ("rehearsed",)),
        saved_by(steps, GOING_ON),
        month.exact_usd,
        sum(s.is_done for s in steps),
        len(steps),
    )


def saved_by(steps: tuple[Step, ...], states: tuple[State, ...]) -> Total:
    """What the steps in these states save a month. A step that hands a stage over and has no price counts as unpriced."""
    handing = (s for s in steps if s.state in states and s.hands_over)
    return Total.of(s.saves_usd_month for s in handing)


def stopping_after(steps: tuple[Step, ...]) -> tuple[Total, ...]:
    """For each step what a month saves if the plan ends after it, and every step so far that has not failed is in force."""
    return tuple(saved_by(steps[: n + 1], GOING_ON) for n in range(len(steps)))


def take_back(facts: Facts, key: str) -> Facts:
    """The facts after a step was taken back. Raises `BadInput` where there is nothing to take back."""
    step = next((s for s in plan(facts) if s.key == key), None)
    if step is None or not step.can_reverse:
        raise BadInput(f"The step {key!r} has nothing to take back.")
    if key in GUARDS:
        return replace(facts, runtime=guard_off(facts.runtime, key))
    if key == "auto":
        return replace(facts, plan="before")
    if key == "digest":
        return replace(facts, digest=replace(facts.digest, daily=False))
    stage = key.partition("-")[2]
    return replace(facts, stages=tuple(_withdrawn(s) if s.key == stage else s for s in facts.stages))


def _withdrawn(stage: StageFacts) -> StageFacts:
    """Recorded cut-overs are taken off; pairs stay."""
    return replace(stage, trials=tuple(replace(t, recorded=False) if _holds(t) else t for t in stage.trials))


def _holds(trial: Trial) -> bool:
    return trial.recorded and trial.verdict == "CUT OVER" and not trial.void


def costs_to_take_back(facts: Facts, step: Step) -> Decimal | None:
    """What a month costs more once a step is taken back: what the done steps save now, less what they save then."""
    if not step.can_reverse:
        return None
    states: tuple[State, ...] = ("done", "rehearsed") if step.state == "rehearsed" else ("done",)
    now = saved_by(plan(facts), states).exact_usd
    then = saved_by(plan(take_back(facts, step.key)), states).exact_usd
    return None if now is None or then is None else max(ZERO, now - then)
