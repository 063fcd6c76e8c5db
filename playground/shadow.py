"""Pairs: the current model and its candidates on the same prompts of a stage, side by side.

The stages before run as they do today. At the stage in question every arm gets one try, so that a model is compared with a model
and not with the ladder behind it; an arm that fails its checks has no output, which counts against it. Nothing that a candidate
says is seen by a later stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from playground.errors import BadInput
from playground.loop import Agent, context_of, run, run_stage
from playground.prompts import render
from playground.records import Candidate, Context, Prompt, Receipt, Step, Ticket
from playground.watch import Unwatched, Watch


@dataclass(frozen=True, slots=True)
class Arms:
    """Who is compared at a stage."""

    stage: str
    current: Candidate
    candidates: tuple[Candidate, ...]

    @property
    def all(self) -> tuple[Candidate, ...]:
        """The current model first."""
        return (self.current, *self.candidates)


@dataclass(frozen=True, slots=True)
class Shadowed:
    """One ticket at one stage on every arm. `context` is `None` where a stage before did not get through; `why` says which."""

    ticket: Ticket
    before: tuple[Step, ...]
    context: Context | None
    arms: Mapping[str, Step]
    """Candidate key to its step, the current model first."""
    why: str = ""

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Every attempt that was paid for, on the way and by every arm."""
        return tuple(r for step in (*self.before, *self.arms.values()) for r in step.receipts)

    @property
    def unanswered(self) -> str:
        """Why this says nothing of either model: it was stopped, or no answer came that counts. Empty where it does.

        A candidate that gives no answer loses. Where the current model gives none there is nothing to hold it against: its outage
        would pass for the candidate's merit. A refused key or account is a setting, not a model's answer.
        """
        if self.before and self.before[-1].state != "done":
            return self.before[-1].message if _no_answer(self.before[-1]) else ""
        steps = tuple(self.arms.values())
        settings = [s for s in steps if _is_setting(s)]
        if settings or _no_answer(steps[0]):
            return (settings or steps)[0].message
        return ""


def _is_setting(step: Step) -> bool:
    return any(r.outcome == "cancelled" for r in step.receipts) or any(r.failure in _REFUSED for r in _asked(step))


def _asked(step: Step) -> tuple[Receipt, ...]:
    return tuple(a.receipt for a in step.asked)


_REFUSED = ("auth", "no_access", "no_credit")


def _no_answer(step: Step) -> bool:
    """Whether a provider gave nothing; an output that was rejected is an answer."""
    return step.state == "cancelled" or any(r.outcome == "failed" for r in _asked(step)[-1:])


class Shadowing:
    """Ready to run any ticket on the arms of a stage. Raises `BadModel` or `BadPipeline` where one of them does not exist."""

    def __init__(self, agent: Agent, arms: Arms) -> None:
        if len({c.key for c in arms.all}) < len(arms.all):
            raise BadInput("Two arms are the same model, so there is nothing to compare. Choose others.")
        # A model is compared with a model: nothing may answer in its place, or out of a cache.
        agent = replace(agent, middleware=(), second=None)
        self.agent, self.arms, self.stage = agent, arms, agent.pipeline.stage(arms.stage)
        flow = agent.pipeline
        # Only the loop sees it: a pipeline without its later stages is none that a user could load.
        self._before = replace(agent, pipeline=replace(flow, stages=flow.stages[: flow.stages.index(self.stage)]))
        pins = agent.router.settings.pins
        own = {arms.stage: self.stage.before}
        self._routers = {
            c.key: agent.router.only((c.key, *own.values()), pins={**pins, arms.stage: c.key}) for c in arms.all
        }

    def __call__(self, ticket: Ticket, watch: Watch | None = None) -> Shadowed:
        """Run a ticket up to the stage as today, and the stage itself on every arm."""
        watch = watch or Unwatched()
        before = tuple(run(self._before, ticket, "before", watch))
        if any(s.state != "done" for s in before):
            return Shadowed(ticket, before, None, {}, f"stopped at {before[-1].stage}")
        context = context_of(self.agent, self.stage, ticket, {s.stage: s for s in before})
        prompts = render(self.stage, context)
        with ThreadPoolExecutor(len(self.arms.all), "arm") as pool:
            steps = pool.map(lambda c: self._one_try(context, prompts, c, watch), self.arms.all)
            return Shadowed(ticket, before, context, {c.key: s for c, s in zip(self.arms.all, steps, strict=True)})

    def _one_try(self, context: Context, prompts: tuple[Prompt, ...], candidate: Candidate, watch: Watch) -> Step:
        decision = self._routers[candidate.key].decide(self.stage, prompts, "kr-auto")
        alone = replace(decision, ladder=(decision.chosen,))
        return run_stage(self.agent, self.stage, context, prompts, alone, watch)
