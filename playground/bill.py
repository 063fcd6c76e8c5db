"""What one ticket cost under the plan that ran, and what the same prompts and outputs would cost under the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from playground.catalog import reasoning_tokens
from playground.money import Total
from playground.pipeline import Stage
from playground.prices import cached_prefix, cost_usd
from playground.prompt_caching import monthly_write_share
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
MARKET = "Market price change"


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
    def failed(self) -> Total:
        """Attempts whose output was not used."""
        return Total.of(line.cost_usd for line in self.lines if line.outcome != "ok")

    @property
    def saved(self) -> Total:
        """Of the total, what our own cache answered and nobody was paid for."""
        return Total.of(line.cost_usd for line in self.lines if line.served)

    def stage_total(self, stage: str) -> Total:
        """The lines of one stage."""
        return Total.of(line.cost_usd for line in self.lines if line.stage == stage)

    def decision(self, stage: str) -> Decision | None:
        """The decision taken for a stage."""
        return next((d for d in self.decisions if d.stage == stage), None)


@dataclass(frozen=True, slots=True)
class Lever:
    """One bar of the waterfall: a level, or a change from the level before it."""

    name: str
    usd: Decimal
    is_level: bool


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
    return Line(r.stage, r.call, r.model, r.provider, r.effort, r.usage, r.cost_usd, True, r.outcome)


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
        for line in _lines(stage, step, d.chosen, lambda u, _: u)
    )
    return PlanBill(plan, False, lines, decisions)


def _lines(stage: Stage, step: Step, candidate: Candidate, adjust: Callable[[Usage, Prompt], Usage]) -> Iterable[Line]:
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


def dearer_stages(plans: dict[Plan, PlanBill]) -> tuple[Decision, ...]:
    """The decisions of kr-auto that make their stage dearer than before."""
    before, routed = plans["before"], plans["kr-auto"]
    return tuple(
        d for d in routed.decisions if routed.stage_total(d.stage).known_usd > before.stage_total(d.stage).known_usd
    )


def levers(
    trace: Trace, router: Router, plans: dict[Plan, PlanBill], tickets_per_month: float | None = None
) -> tuple[Lever, ...]:
    """From 2025's models to kr-auto with prompt caching where that is on; levels and changes add up exactly.

    The cache is as warm as a month of such tickets keeps it; always warm where no volume is given.

    Every level but the last is without cache and without retries, so that each lever holds one thing only. Empty where a call
    has no price: a part of a sum is no level.
    """
    plain = {plan: _without_cache(trace, router, bill) for plan, bill in plans.items()}
    if any(total.exact_usd is None for total in plain.values()):
        return ()
    levels: list[tuple[str, str, Decimal]] = []
    reference = _reference(trace, router)
    if reference is not None:
        levels.append(("", "2025 models", reference))
    levels.append((MARKET, "Before", plain["before"].known_usd))
    levels.append(("Tiers", "Stratified", plain["stratified"].known_usd))
    levels.append(("Routing", "kr-auto", plain["kr-auto"].known_usd))
    routed = plans["kr-auto"]
    if routed.failed.known_usd:
        levels.append(("Retries", "kr-auto, all in", levels[-1][2] + routed.failed.known_usd))
    if router.pipeline.runtime.prompt_cache or used_cache(routed):
        level = _cached_level(trace, router, routed, levels[-1][2], tickets_per_month)
        levels.append(("Prompt caching", "kr-auto, cached", level))
    return tuple(walk(levels))


def _without_cache(trace: Trace, router: Router, bill: PlanBill) -> Total:
    total = Total()
    for step, decision in zip(trace.steps, bill.decisions, strict=True):
        candidate = _answered(step) if bill.ran else decision.chosen
        lines = _lines(router.pipeline.stage(step.stage), step, candidate or decision.chosen, _fresh)
        total += Total.of(line.cost_usd for line in lines)
    return total


def _answered(step: Step) -> Candidate | None:
    """Whose answer was used, where one candidate answered every call."""
    answered = {a.candidate for a in step.attempts if a.output is not None}
    return answered.pop() if len(answered) == 1 else None


def _fresh(usage: Usage, _: Prompt) -> Usage:
    return replace(usage, cache_read_tokens=0, cache_write_tokens=0)


def _cached_level(
    trace: Trace, router: Router, routed: PlanBill, before_usd: Decimal, tickets_per_month: float | None
) -> Decimal:
    """The metered bill where the provider's cache was used in the run, else what it would leave at a volume."""
    if used_cache(routed):
        return routed.total.known_usd
    return before_usd - cache_saving_usd(trace, router, routed, tickets_per_month)


def used_cache(bill: PlanBill) -> bool:
    """Whether a run's calls read or wrote the provider's cache, as metered."""
    return any(line.usage.cache_read_tokens or line.usage.cache_write_tokens for line in bill.lines if line.ran)


def walk(levels: Sequence[tuple[str, str, Decimal]]) -> Iterable[Lever]:
    """Levels as (the change that leads to it, its name, USD) into bars; a level without a name is no bar of its own."""
    yield Lever(levels[0][1], levels[0][2], True)
    for (_, _, old), (change, name, new) in pairwise(levels):
        yield Lever(change, new - old, False)
        if name:
            yield Lever(name, new, True)


def _reference(trace: Trace, router: Router) -> Decimal | None:
    """The same work on the models each stage ran on in 2025; `None` where a stage names none."""
    total = Total()
    for step in trace.steps:
        stage = router.pipeline.stage(step.stage)
        if stage.reference is None:
            return None
        candidate = Candidate(router.catalog.by_name(stage.reference))
        total += Total.of(line.cost_usd for line in _lines(stage, step, candidate, _fresh))
    return total.exact_usd


def cache_saving_usd(trace: Trace, router: Router, bill: PlanBill, tickets_per_month: float | None = None) -> Decimal:
    """What a ticket saves when each prompt's fixed part is read from the provider's cache, less what it pays for writing it.

    At a volume some calls come too late and write (`prompt_caching`); without one the cache is always warm. Below 0 it costs more
    than it saves. Only prefixes of at least the model's minimum length count, and only models with a published cache-read price.
    """
    saved = Decimal(0)
    for step, decision in zip(trace.steps, bill.decisions, strict=True):
        stage, candidate = router.pipeline.stage(step.stage), decision.chosen
        plain, read, written = (
            Total.of(line.cost_usd for line in _lines(stage, step, candidate, adjust)).known_usd
            for adjust in (_fresh, _cached(candidate, "cache_read_tokens"), _cached(candidate, "cache_write_tokens"))
        )
        share = 0.0 if tickets_per_month is None else monthly_write_share(candidate.model, tickets_per_month)
        writing = Decimal(repr(share))
        saved += (1 - writing) * (plain - read) + writing * (plain - written)
    return saved


def _cached(
    candidate: Candidate, kind: Literal["cache_read_tokens", "cache_write_tokens"]
) -> Callable[[Usage, Prompt], Usage]:
    """A usage with its prompt's fixed part read or written; what a provider writes for nothing is ordinary input to it."""
    price = candidate.model.price
    free = kind == "cache_write_tokens" and not (price and price.rates.cache_write_usd_per_mtok)

    def adjust(usage: Usage, prompt: Prompt) -> Usage:
        plain = _fresh(usage, prompt)
        prefix = 0 if free else cached_prefix(candidate.model, min(prompt.prefix_tokens, usage.input_tokens))
        return replace(plain, **{kind: prefix})  # type: ignore[arg-type]

    return adjust
