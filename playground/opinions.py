"""Second opinions in a run: for tickets that are drawn, the next tier up answers a stage as well.

Its answer is compared with what was served, and never served itself. It is asked outside of caches and equivalents, which could
answer in its place, and inside the caps on a call and on a run, the health of providers and the retry budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256

from playground.drift import FLOOR
from playground.errors import BadInput
from playground.loop import Agent, run_stage
from playground.middleware import Middleware
from playground.money import ZERO
from playground.pairs import Pair, neither
from playground.pipeline import Stage
from playground.recording import UNRECORDED, Record
from playground.records import Candidate, Context, Decision, Prompt, Request, SecondOpinion, Step, Ticket
from playground.router import Router, runnable
from playground.scoring import JUDGED, Judge, Judged, Rubric, family, fit_judges, judge, score, shipped_rubric
from playground.second_opinion import Sample, disagrees, tier_above
from playground.shadow import Arms
from playground.tokens import count
from playground.watch import Complete, Watch
from playground.worst_case import max_known, shadow_usd


def _unrecorded(record: Record) -> Record:
    return UNRECORDED


@dataclass(frozen=True, slots=True)
class SecondOpinions:
    """Which tickets are drawn, and how the next tier up is asked. `chance_of` gives a ticket's probability, `share` unless given.

    `complete` is the bare way to call models; `caps` stand around it, with a failover that knows no equivalents where it is on, and
    `aside` marks what it pays in the record of the run.
    Raises `BadInput` for a share that is not between 0 and 1.
    """

    share: float
    stage: str
    complete: Complete
    caps: tuple[Middleware, ...] = ()
    aside: Callable[[Record], Record] = _unrecorded
    chance_of: Callable[[Ticket], float] | None = None
    rubric: Rubric | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise BadInput(f"Second opinions: the share {self.share} is not between 0 and 1.")

    def chance(self, ticket: Ticket) -> float:
        """The probability with which a ticket is drawn; never under the floor of the share that the watch for drift assumes."""
        found = self.share if self.chance_of is None else self.chance_of(ticket)
        return min(1.0, max(found, self.share * FLOOR))

    def draws(self, ticket: Ticket) -> bool:
        """Whether a ticket gets a second opinion: the same ticket always does, or never does."""
        return is_drawn(ticket, self.chance(ticket))

    def __call__(self, agent: Agent, stage: Stage, context: Context, step: Step, watch: Watch) -> SecondOpinion | None:
        """Ask about a step that is done; `None` where its stage or ticket was not drawn, or nobody higher may be asked."""
        if stage.key != self.stage or not self.draws(context.ticket):
            return None
        served = _served(step)
        higher = next(
            (c for c in higher_than(agent.router, stage, served) if _may(agent.router, stage, step.prompts, c)), None
        )
        return None if higher is None else self._ask(agent, stage, context, step, higher, _Quiet(watch))

    def _ask(
        self, agent: Agent, stage: Stage, context: Context, step: Step, higher: Candidate, watch: Watch
    ) -> SecondOpinion:
        plan, record = step.decision.plan, self.aside(agent.record)
        alone = replace(agent, complete=self.complete, middleware=self.caps, record=record, second=None)
        alone = alone.opened(context.ticket, plan, ())
        decision = _only(agent.router, stage, step.prompts, higher)
        asked = run_stage(alone, stage, context, step.prompts, replace(decision, plan=plan, ladder=(higher,)), watch)
        judged, why = self._scored(alone, stage, context, step, asked, watch)
        found = None if judged is None else judged.score
        receipts = (*asked.receipts, *(judged.receipts if judged is not None else ()))
        chance = self.chance(context.ticket)
        if asked.output is None or found is None or neither(found) or found.kind == "failed":
            return SecondOpinion(
                higher.key, chance, None, why or asked.message or "It gave no usable answer.", receipts
            )
        pair = Pair(context.ticket.id, found.value, kind=found.kind)
        return SecondOpinion(higher.key, chance, disagrees(pair), found.note, receipts)

    def _scored(
        self, alone: Agent, stage: Stage, context: Context, step: Step, asked: Step, watch: Watch
    ) -> tuple[Judged | None, str]:
        """The pair, scored; or why it could not be."""
        if asked.output is None:
            return None, asked.message
        if stage.key not in JUDGED:
            return Judged(score(stage, context, step.output, asked.output, None, alone.pipeline.keep)), ""
        by = self._judge(alone, stage, step, asked.decision.chosen)
        if by is None:
            return None, "No model of another family may judge it."
        found = judge(by, stage, context, step.output, asked.output, watch)
        return found, found.problem

    def _judge(self, alone: Agent, stage: Stage, step: Step, higher: Candidate) -> Judge | None:
        router = alone.router
        fit = fit_judges(router.catalog, _served(step), higher, router.evidence, router.settings.today)
        by = next((c for c in fit if _may(router, stage, step.prompts, c)), None)
        if by is None:
            return None
        rubric = self.rubric or shipped_rubric()
        quality = router.evidence.quality("check", by).estimate
        return Judge(
            by,
            alone.complete,
            alone.provenance,
            rubric,
            alone.pipeline.name,
            step.decision.plan,
            quality,
            record=alone.record,
        )

    def most_usd(self, router: Router, inputs: Sequence[int]) -> Decimal | None:
        """The most that a second opinion on one ticket costs, judge included; `inputs` are counted tokens by stage.

        It is more than that: the bound is of a whole shadow evaluation of the ticket. `None` where a price is missing, 0 where
        nobody may be asked.
        """
        stage = router.pipeline.stage(self.stage)
        served = router.named(stage.before)
        tokens = count((self.rubric or shipped_rubric()).source) if self.stage in JUDGED else 0
        prompts = (Prompt(stage.key, 1, (), inputs[router.pipeline.stages.index(stage)], 0),)
        allowed = [c for c in higher_than(router, stage, None) if _may(router, stage, prompts, c)]
        found = []
        # The first of them may be who answers, and then it is the second.
        for higher in allowed[:3]:
            arms = Arms(self.stage, served, (higher,))
            judges = _likely_judges(router, higher) if self.stage in JUDGED else (None,)
            costs = [shadow_usd(router, inputs, arms, by, tokens) for by in judges]
            found += [None if cost is None else cost.most_usd for cost in costs]
        return max_known(found) if found else ZERO


def higher_than(router: Router, stage: Stage, served: Candidate | None) -> tuple[Candidate, ...]:
    """Whom to ask: first the model of the next tier up, then the best-measured of each provider; never who answered."""
    usual = router.named(tier_above(router.pipeline, stage))
    ranked = sorted(router.candidates, key=lambda c: -(router.evidence.quality(stage.key, c).estimate or 0.0))
    others = [c for c in ranked if served is None or c.model != served.model]
    best_of = {c.model.provider: c for c in reversed(others)}
    first = () if served is not None and usual.model == served.model else (usual,)
    return tuple(dict.fromkeys((*first, *(c for c in others if best_of[c.model.provider] is c))))


def as_sample(ticket_id: str, found: SecondOpinion, day: str = "") -> Sample | None:
    """A second opinion for the watch for drift; `None` where nobody could tell."""
    return None if found.disagrees is None else Sample(ticket_id, found.probability, found.disagrees, day)


def _likely_judges(router: Router, higher: Candidate) -> tuple[Candidate, ...]:
    """The best judge of another family than the higher model's, and the best of yet another: the first may be the served one's."""
    fit = fit_judges(router.catalog, higher, higher, router.evidence, router.settings.today)
    first_of = {family(c.model): c for c in reversed(fit)}
    return tuple([c for c in fit if first_of[family(c.model)] is c][:2])


def _served(step: Step) -> Candidate:
    return next((a.candidate for a in reversed(step.attempts) if a.output is not None), step.decision.chosen)


def _only(router: Router, stage: Stage, prompts: tuple[Prompt, ...], candidate: Candidate) -> Decision:
    pins = {**router.settings.pins, stage.key: candidate.key}
    return router.only((candidate.key, router.named(stage.before).key), pins=pins).decide(stage, prompts, "kr-auto")


def _may(router: Router, stage: Stage, prompts: tuple[Prompt, ...], candidate: Candidate) -> bool:
    """Whether the user's settings let a model see the ticket."""
    place = candidate.model.endpoint or candidate.model.provider
    reachable = router.settings.reachable
    return (reachable is None or place in reachable) and runnable(_only(router, stage, prompts, candidate))


def is_drawn(ticket: Ticket, chance: float) -> bool:
    """Whether a ticket is drawn with this probability; the ticket alone decides it."""
    text = f"second opinion\0{ticket.id}\0{ticket.subject}\0{ticket.text}"
    return int(sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:8], 16) / 0x100000000 < chance


@dataclass(frozen=True, slots=True)
class _Quiet:
    """Shows nothing of an answer that is never served, and stops with the run."""

    of: Watch

    def text(self, request: Request, chunk: str) -> None:
        """Show nothing."""

    def restart(self, request: Request) -> None:
        """Have nothing to forget."""

    def cancelled(self) -> bool:
        """As the run."""
        return self.of.cancelled()
