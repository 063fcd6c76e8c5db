"""One ticket through the stages under one plan. A generator: a page draws each step as it lands, a test lists it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from playground.catalog import reasoning_tokens
from playground.checks import verify
from playground.difficulty import cues, retrieval_cues
from playground.errors import HandedOver
from playground.knowledge import HelpCentre
from playground.middleware import Middleware, around
from playground.money import ZERO
from playground.pipeline import Pipeline, Stage
from playground.prompts import render
from playground.receipts import Biller
from playground.recording import UNRECORDED, Record
from playground.records import (
    CLIMBED,
    Attempt,
    Candidate,
    Completion,
    Context,
    Decision,
    Handover,
    Output,
    Passage,
    Plan,
    Policy,
    Prompt,
    Provenance,
    Request,
    SecondOpinion,
    Step,
    StepState,
    Ticket,
    Trace,
    Verdict,
)
from playground.router import Router, runnable
from playground.watch import Complete, Unwatched, Watch

FOR_A_PERSON = ("summarise",)
"""Stages that still run when a ticket goes to a person."""
TRIES = 2
"""The first candidate of the ladder and one climb; more would hide a broken stage behind a growing bill."""
THINKING_ROOM = 4


class Second(Protocol):
    """Asks the next tier up about a step that is done."""

    def __call__(self, agent: Agent, stage: Stage, context: Context, step: Step, watch: Watch) -> SecondOpinion | None:
        """What it says, or `None` where this ticket or stage was not drawn. Never raises for a call that fails."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Everything a run needs besides the ticket. `complete` is the one impure part."""

    pipeline: Pipeline
    router: Router
    help_centre: HelpCentre
    policies: tuple[Policy, ...]
    complete: Complete
    provenance: Provenance
    middleware: tuple[Middleware, ...] = ()
    """Guardrails, caches, failover and caps; the first is the outermost."""
    record: Record = UNRECORDED
    second: Second | None = None
    """Asks for second opinions on some tickets; `None` asks for none."""

    def opened(self, ticket: Ticket, plan: Plan, done: Sequence[Step]) -> Agent:
        """The agent for one run of a ticket: its calls go through every part."""
        parts = tuple(part.opened(ticket, plan, done) for part in self.middleware)
        return replace(self, complete=around(parts, self.complete), middleware=parts) if parts else self


def run(
    agent: Agent, ticket: Ticket, plan: Plan, watch: Watch | None = None, done: Sequence[Step] = ()
) -> Iterator[Step]:
    """Yield one step per stage that is not in `done`, and stop after a step that is not done.

    A ticket that a guardrail gives to a person skips every stage but the summary, which is for that person. Raises `BadInput`
    where the pipeline names a model that does not exist.
    """
    watch = watch or Unwatched()
    steps = {s.stage: s for s in done}
    agent = agent.opened(ticket, plan, done)
    for stage in agent.pipeline.stages:
        if stage.key in steps or (stage.key not in FOR_A_PERSON and _handed_over(steps)):
            continue
        step = _step(agent, stage, context_of(agent, stage, ticket, steps), plan, watch, _spent(steps))
        steps[stage.key] = step
        if step.handover is not None:
            agent.record.handed_over(ticket, stage.key, step.handover)
        yield step
        if step.state != "done" and step.handover is None:
            return


def _handed_over(steps: Mapping[str, Step]) -> bool:
    return any(s.handover is not None for s in steps.values())


def run_all(agent: Agent, ticket: Ticket, plan: Plan, watch: Watch | None = None) -> Trace:
    """The whole loop as one trace."""
    return Trace(ticket, agent.pipeline.name, plan, agent.provenance, tuple(run(agent, ticket, plan, watch)))


def _withheld(step: Step) -> bool:
    return step.handover is not None and step.handover.withheld


def _spent(steps: Mapping[str, Step]) -> Decimal:
    """What a ticket has cost so far; attempts without a price cannot be held against its budget."""
    return sum((r.cost_usd for s in steps.values() for r in s.receipts if r.cost_usd is not None), ZERO)


def context_of(agent: Agent, stage: Stage, ticket: Ticket, steps: Mapping[str, Step]) -> Context:
    """What a stage works on, given the steps before it."""
    earlier = {key: s.output for key, s in steps.items() if s.output is not None and not _withheld(s)}
    if stage.key == "rerank":
        passages = agent.help_centre.retrieve(f"{ticket.subject} {ticket.text}", agent.pipeline.retrieve)
    else:
        passages = steps["rerank"].passages if "rerank" in steps else ()
    return Context(ticket, agent.pipeline.labels, agent.policies, passages, earlier)


def _step(agent: Agent, stage: Stage, context: Context, plan: Plan, watch: Watch, spent: Decimal) -> Step:
    prompts = render(stage, context)
    # Before re-ranking the passages carry a search score, which says nothing about how well one answers.
    hard = (*cues(context.ticket), *retrieval_cues(context.passages if "rerank" in context.earlier else ()))
    decision = agent.router.decide(stage, prompts, plan, hard, spent)
    step = run_stage(agent, stage, context, prompts, decision, watch)
    if agent.second is None or step.state != "done":
        return step
    return replace(step, second=agent.second(agent, stage, context, step, watch))


def run_stage(
    agent: Agent, stage: Stage, context: Context, prompts: tuple[Prompt, ...], decision: Decision, watch: Watch
) -> Step:
    """Run a stage's prompts as a decision says: each call climbs its ladder, two rungs at most."""
    if not runnable(decision):
        return Step(stage.key, "failed", decision, prompts, (), None, message=_sentence(decision.reason))
    climbs = _side_by_side([_Climb(agent, stage, context, decision, prompt, watch) for prompt in prompts])
    attempts = tuple(a for climb in climbs for a in climb.attempts)
    step = Step(stage.key, "done", decision, prompts, attempts, None)
    held = next((c.held for c in climbs if c.held is not None), None)
    if held is not None:
        return replace(step, state="failed", message=held.reason, handover=held)
    bad = next((c for c in climbs if c.attempts[-1].output is None), None)
    if bad is not None:
        state: StepState = "cancelled" if bad.attempts[-1].receipt.outcome == "cancelled" else "failed"
        return replace(step, state=state, message=_why_failed(bad.attempts))
    output, passages = _join(agent.pipeline, stage, [c.attempts[-1] for c in climbs], context.passages)
    return _looked_at(agent, replace(step, output=output, passages=passages), context)


def _looked_at(agent: Agent, step: Step, context: Context) -> Step:
    """A finished step, handed over where a guardrail says so: who withholds its output goes first, then the innermost."""
    found = [h for part in reversed(agent.middleware) if (h := part.after(step, context)) is not None]
    return replace(step, handover=next((h for h in found if h.withheld), found[0] if found else None))


@dataclass(slots=True)
class _Climb:
    """One call of a stage, tried up the ladder until an output passes its checks.

    With failover on, a call that fails goes no further up: failover has asked the next rung too, where its rule allows it.
    """

    agent: Agent
    stage: Stage
    context: Context
    decision: Decision
    prompt: Prompt
    watch: Watch
    attempts: tuple[Attempt, ...] = ()
    held: Handover | None = None

    def __call__(self) -> _Climb:
        """Climb, and return itself with what came of it."""
        ladder = self.decision.ladder[:TRIES]
        for place, candidate in enumerate(ladder, 1):
            self._try(candidate, ladder[place:])
            if self.held or self._ended(self.attempts[-1]):
                break
        return self

    def _ended(self, last: Attempt) -> bool:
        over = last.output is not None or last.receipt.outcome == "cancelled" or self.watch.cancelled()
        return over or (last.receipt.outcome == "failed" and any(part.reroutes for part in self.agent.middleware))

    def _try(self, candidate: Candidate, rungs: tuple[Candidate, ...]) -> None:
        agent, first, request = self.agent, len(self.attempts) + 1, self._request(candidate, rungs)
        if self.attempts:
            self.watch.restart(request)
        bill = Biller(
            agent.pipeline.name, self.decision.plan, self.stage.key, agent.provenance, agent.record, self._rule()
        )
        try:
            self.attempts += bill.attempts(request, self.watch, agent.complete, _checked, first)
        except HandedOver as held:
            self.attempts += bill.tried(request, held.tries, first)
            self.held = Handover(held.rule, str(held))

    def _rule(self) -> str:
        """Why another candidate is asked than the one that was chosen; empty for that one."""
        if not self.attempts:
            return ""
        last = self.attempts[-1]
        how = "the call to it failed" if last.receipt.outcome == "failed" else "its answer did not pass"
        return f"{CLIMBED} after {last.candidate.key}: {how}"

    def _request(self, candidate: Candidate, rungs: tuple[Candidate, ...]) -> Request:
        stage = self.stage
        # Thinking is billed and capped as output, so the cap leaves room for several times what is expected of it.
        cap = stage.max_output_tokens + THINKING_ROOM * reasoning_tokens(candidate, stage.typical_output_tokens)
        quality = self.agent.router.evidence.quality(stage.key, candidate).estimate
        return Request(
            candidate,
            self.prompt,
            stage.output,
            cap,
            stage.typical_output_tokens,
            self.context,
            quality,
            stage.timeout_s,
            rungs,
            tuple(a.candidate for a in self.attempts if a.receipt.outcome == "rejected"),
        )


def _checked(request: Request, done: Completion) -> tuple[Verdict, Output | None]:
    return verify(request, done.text, done.finish_reason)


def _side_by_side(climbs: Sequence[_Climb]) -> list[_Climb]:
    if len(climbs) == 1:
        return [climbs[0]()]
    with ThreadPoolExecutor(max_workers=len(climbs)) as pool:
        return list(pool.map(lambda climb: climb(), climbs))


def _join(
    pipeline: Pipeline, stage: Stage, finals: Sequence[Attempt], passages: tuple[Passage, ...]
) -> tuple[Output, tuple[Passage, ...]]:
    """A stage's calls as one output; re-ranking also picks the passages that later stages see."""
    if stage.key != "rerank":
        output = finals[0].output
        assert output is not None
        return output, passages
    scores = {s["id"]: float(s["score"]) for a in finals if isinstance(a.output, Mapping) for s in a.output["scores"]}
    # A stable sort keeps retrieval's order among equals.
    best = sorted(passages, key=lambda p: -scores.get(p.id, 0.0))[: pipeline.keep]
    ranked = tuple(replace(p, score=scores.get(p.id, 0.0)) for p in best)
    return {"scores": [{"id": i, "score": s} for i, s in sorted(scores.items(), key=lambda pair: -pair[1])]}, ranked


def climb_line(step: Step) -> str:
    """How many calls climbed, to what and why, to follow a decision's reason; empty where none did.

    One that went to an equivalent did not climb: its receipt says by which rule.
    """
    moved = [a for a in step.asked if a.receipt.attempt > 1 and a.candidate.key != step.decision.chosen.key]
    retried = [a for a in moved if not a.receipt.rerouted]
    if not retried:
        return f"; {moved[0].receipt.rule}" if moved else ""
    why = next(" ".join(a.verdict.findings) for a in step.asked if a.output is None)
    calls = "1 call" if len(retried) == 1 else f"{len(retried)} calls"
    rehearsed = retried[0].receipt.provenance == "rehearsal"
    rejected = any(a.receipt.outcome == "rejected" for a in step.attempts)
    after = " after a simulated failure" if rehearsed and rejected else ""
    return f"; {calls} climbed to {retried[0].candidate.key}{after}: {why}"


def _why_failed(climb: Sequence[Attempt]) -> str:
    """What went wrong at every try, so that a retry does not hide the first failure."""
    asked = [a for a in climb if not a.receipt.embedded] or climb
    said = [a.error or f"No usable output. {' '.join(a.verdict.findings)}" for a in asked]
    if len(said) < 2:
        return said[0]
    return " ".join(f"{a.candidate.key}: {text}" for a, text in zip(asked, said, strict=True))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
