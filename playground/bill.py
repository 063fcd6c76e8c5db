"""What one ticket cost under the plan that ran, and what the same prompts and outputs would cost under the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from playground.catalog import reasoning_tokens
from playground.money import Total
from playground.pipeline import Stage
from playground.prices import cost_usd
from playground.receipts import whole
from playground.records import (
    ASSURANCES,
    PLANS,
    Assurance,
    Candidate,
    Decision,
    Outcome,
    Plan,
    Prompt,
    Receipt,
    Step,
    Trace,
    Usage,
)
from playground.router import Router

NOT_RUN = "priced, not run"


@dataclass(frozen=True, slots=True)
class Line:
    """One attempt that ran, or one call priced under a plan that did not."""

    stage: str
    call: int
    model: str
    provider: str
    effort: str
    usage: Usage
    cost_usd: Decimal | None
    ran: bool
    outcome: Outcome = "ok"
    served: bool = False
    """Whether our own cache answered: the line is then what the answer cost when it was given, and nothing was paid now."""
    embedded: bool = False
    """Whether it only told the semantic cache what the ticket means."""


@dataclass(frozen=True, slots=True)
class PlanBill:
    """One ticket under one plan."""

    plan: Plan
    ran: bool
    lines: tuple[Line, ...]
    decisions: tuple[Decision, ...]

    @property
    def total(self) -> Total:
        """Every line, failed attempts included."""
        return Total.of(line.cost_usd for line in self.lines)

    @property
    def answers(self) -> Total:
        """Every line but those that only told the semantic cache what the ticket means."""
        return Total.of(line.cost_usd for line in self.lines if not line.embedded)

    @property
    def failed(self) -> Total:
        """Attempts at an answer whose output was not used."""
        return Total.of(line.cost_usd for line in self.lines if line.outcome != "ok" and not line.embedded)

    @property
    def saved(self) -> Total:
        """Of the total, what our own cache answered and nobody was paid for."""
        return Total.of(line.cost_usd for line in self.lines if line.served)

    def stage_total(self, stage: str) -> Total:
        """The lines of one stage."""
        return Total.of(line.cost_usd for line in self.lines if line.stage == stage)

    def answers_total(self, stage: str) -> Total:
        """The same without what only told the semantic cache what the ticket means."""
        return Total.of(line.cost_usd for line in self.lines if line.stage == stage and not line.embedded)

    def decision(self, stage: str) -> Decision | None:
        """The decision taken for a stage."""
        return next((d for d in self.decisions if d.stage == stage), None)


def bills(trace: Trace, router: Router) -> dict[Plan, PlanBill]:
    """The three plans for a trace; the one that ran is billed from its receipts.

    What our own cache answered stands at what it cost when a model gave it: plans are compared as if each had asked a model, for
    the next ticket will not find the same answer kept. `paid` is without it.
    """
    return {plan: _ran(trace) if plan == trace.plan else priced(trace, router, plan) for plan in PLANS}


def assured(trace: Trace, router: Router, plans: dict[Plan, PlanBill]) -> dict[Assurance, PlanBill]:
    """kr-auto under either assurance: what could be saved, and what has been proven. Costs nothing: one is in `plans`."""
    own = router.settings.assurance
    return {a: plans["kr-auto"] if a == own else priced(trace, router.but(assurance=a), "kr-auto") for a in ASSURANCES}


def paid(trace: Trace) -> PlanBill:
    """The plan that ran, as it was metered: what our own cache answered cost nothing."""
    return replace(_ran(trace), lines=tuple(_metered(r) for r in trace.receipts))


def _ran(trace: Trace) -> PlanBill:
    lines = tuple(_line(r) for r in trace.receipts)
    return PlanBill(trace.plan, True, lines, tuple(s.decision for s in trace.steps))


def _metered(r: Receipt) -> Line:
    return Line(
        r.stage, r.call, r.model, r.provider, r.effort, r.usage, r.cost_usd, True, r.outcome, embedded=r.embedded
    )


def _line(r: Receipt) -> Line:
    known = _metered(r)
    return known if r.saved is None else replace(known, usage=r.saved, cost_usd=r.saved_usd, served=True)


def priced(trace: Trace, router: Router, plan: Plan) -> PlanBill:
    """What the prompts and outputs of a trace would cost under a plan; nothing is run."""
    steps = [(router.pipeline.stage(s.stage), s) for s in trace.steps]
    decisions = tuple(
        router.decide(stage, s.prompts, plan, s.decision.cues, s.decision.spent_usd) for stage, s in steps
    )
    lines = tuple(
        line
        for (stage, step), d in zip(steps, decisions, strict=True)
        for line in priced_lines(stage, step, d.chosen, lambda u, _: u)
    )
    return PlanBill(plan, False, lines, decisions)


def priced_lines(
    stage: Stage, step: Step, candidate: Candidate, adjust: Callable[[Usage, Prompt], Usage]
) -> Iterable[Line]:
    """A stage's calls as they would be billed on a candidate, each usage put right by `adjust`."""
    model = candidate.model
    for prompt in step.prompts:
        usage = adjust(as_if(stage, step, prompt, candidate), prompt)
        yield Line(
            stage.key,
            prompt.call,
            model.name,
            model.provider,
            candidate.effort,
            usage,
            whole(cost_usd(usage, model.price)),
            False,
        )


def as_if(stage: Stage, step: Step, prompt: Prompt, candidate: Candidate) -> Usage:
    """The tokens this call would use on another candidate: same input, same visible output, its own thinking, no cache.

    On the candidate whose answer was used it is what that answer used: nothing saves money by being compared with itself.
    """
    tried = ((a.candidate, tokens_of(a.receipt)) for a in reversed(step.attempts) if a.receipt.call == prompt.call)
    own, used = next(
        ((own, used) for own, used in tried if used.output_tokens),
        (None, Usage(prompt.input_tokens, stage.typical_output_tokens)),
    )
    return used if own == candidate else elsewhere(stage, used, candidate)


def tokens_of(receipt: Receipt) -> Usage:
    """What an answer took of a model: for one out of our own cache what it took when it was given."""
    return receipt.saved or receipt.usage


def elsewhere(stage: Stage, used: Usage, candidate: Candidate) -> Usage:
    """The tokens of a call, had another candidate answered it: same input, same visible output, its own thinking, no cache."""
    thinking = reasoning_tokens(candidate, stage.typical_output_tokens)
    return Usage(used.input_tokens, used.visible_tokens + thinking, reasoning_tokens=thinking, counted="estimate")


def fresh(usage: Usage, _: Prompt | None = None) -> Usage:
    """The same tokens without the provider's cache."""
    return replace(usage, cache_read_tokens=0, cache_write_tokens=0)


def answered(step: Step) -> Candidate | None:
    """Whose answer was used, where one candidate answered every call."""
    found = {a.candidate for a in step.attempts if a.output is not None}
    return found.pop() if len(found) == 1 else None


def dearer_stages(plans: dict[Plan, PlanBill]) -> tuple[Decision, ...]:
    """The decisions of kr-auto that make their stage dearer than before."""
    before, routed = plans["before"], plans["kr-auto"]
    return tuple(
        d for d in routed.decisions if routed.stage_total(d.stage).known_usd > before.stage_total(d.stage).known_usd
    )
