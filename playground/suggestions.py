"""A list of equivalents to begin with: only what the rule of failover lets answer, and what is missing for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from playground.equivalents import Equivalents, Permission, in_order
from playground.loop import TRIES
from playground.options import Load, stage_cost_usd
from playground.records import Candidate, Decision, Prompt
from playground.router import Router

DEAREST = Decimal(100)
"""No list may allow more times as much than this (`runtime.FailoverRules`)."""
_STEP = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Lacking:
    """A stage's model that has nobody to answer in its place. `factor` is how many times as much the cheapest one costs.

    `factor` is `None` where no model of another provider clears the bar, or none within 100 times.
    """

    stage: str
    candidate: Candidate
    factor: Decimal | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Candidate key to the keys of its equivalents, and the stages that stay without one."""

    equivalents: dict[str, tuple[str, ...]]
    lacking: tuple[Lacking, ...]

    @property
    def factor(self) -> Decimal | None:
        """The least `dearer_up_to` under which every stage that can be helped has an equivalent; `None` where that helps none."""
        return max((at.factor for at in self.lacking if at.factor is not None), default=None)


def suggested(
    router: Router,
    decided: Sequence[tuple[Decision, Sequence[Prompt]]],
    permission: Permission | None = None,
    each: int = 2,
) -> Suggestion:
    """For every model of a ladder, the cheapest that may answer in its place at its stage, each of another provider.

    `decided` are a ticket's decisions, each with the prompts of its stage; the rule is that of `equivalents.router_rules`.
    """
    found, missing = dict[str, tuple[Candidate, ...]](), list[Lacking]()
    for case in _cases(router, decided, found, permission or Permission()):
        found[case.own.key] = tuple(dict.fromkeys((*found.get(case.own.key, ()), *case.allowed()[:each])))
        # Before the next lists are made, which go round those that there are.
        missing += case.lacking()
    return Suggestion({key: tuple(c.key for c in others) for key, others in found.items() if others}, tuple(missing))


def lacking(
    router: Router,
    decided: Sequence[tuple[Decision, Sequence[Prompt]]],
    equivalents: Equivalents,
    permission: Permission,
) -> tuple[Lacking, ...]:
    """The models of these ladders for which nobody at another provider may stand in: none listed, and no next step up."""
    return tuple(at for case in _cases(router, decided, equivalents, permission) for at in case.lacking())


def _cases(
    router: Router,
    decided: Sequence[tuple[Decision, Sequence[Prompt]]],
    equivalents: Equivalents,
    permission: Permission,
) -> Iterator[_Case]:
    for decision, prompts in decided:
        for place, own in enumerate(decision.ladder[:TRIES], 1):
            yield _Case(router, permission, decision, prompts, own, decision.ladder[place:TRIES], equivalents)


@dataclass(frozen=True, slots=True)
class _Case:
    """One model of one stage of a ticket, as that was decided, and the lists that there are so far."""

    router: Router
    permission: Permission
    decision: Decision
    prompts: Sequence[Prompt]
    own: Candidate
    rungs: Sequence[Candidate]
    found: Equivalents

    def lacking(self) -> tuple[Lacking, ...]:
        """Itself, where nobody at another provider may answer every call: none listed, and no next step up."""
        others = (*in_order(self.found, self.own), *self.rungs)
        helped = any(self._may(c) for c in self._elsewhere() if c in others)
        return () if helped else (Lacking(self.decision.stage, self.own, self.factor()),)

    def allowed(self) -> tuple[Candidate, ...]:
        """Who may answer every call of the stage, the cheapest first; one of each other provider."""
        may = [c for c in self._elsewhere() if self._may(c) and not self._circles(c)]
        first_of = {c.model.provider: c for c in reversed(may)}
        return tuple(c for c in may if first_of[c.model.provider] is c)

    def factor(self) -> Decimal | None:
        """How many times as much the cheapest costs at the call where it is dearest, rounded up to a tenth."""
        needed = [max(n for n, _ in self._calls(c)) for c in self._elsewhere() if not self._circles(c)]
        if not needed or min(needed) > DEAREST:
            return None
        return min(DEAREST, min(needed).quantize(_STEP, ROUND_CEILING))

    def _may(self, candidate: Candidate) -> bool:
        limit, today = self.permission.dearer_up_to, self.permission.up_to_today
        return all(n <= limit or (today and t) for n, t in self._calls(candidate))

    def _circles(self, candidate: Candidate) -> bool:
        return self.own in in_order(self.found, candidate)

    def _elsewhere(self) -> Iterator[Candidate]:
        own = self.own
        for seen in self.decision.considered:
            elsewhere = seen.candidate.model.provider != own.model.provider
            if seen.passes and elsewhere and None not in self._costs(seen.candidate) + self._costs(own):
                yield seen.candidate

    def _calls(self, candidate: Candidate) -> list[tuple[Decimal, bool]]:
        """For each call, how many times as much as now, and whether that is no more than what it costs today."""
        today = self.router.named(self.router.pipeline.stage(self.decision.stage).before)
        rows = zip(self._costs(candidate), self._costs(self.own), self._costs(today), strict=True)
        return [(_times(other, own), before is not None and _at_most(other, before)) for other, own, before in rows]

    def _costs(self, candidate: Candidate) -> list[Decimal | None]:
        stage = self.router.pipeline.stage(self.decision.stage)
        loads = (Load((p.input_tokens,), stage.typical_output_tokens, stage.max_output_tokens) for p in self.prompts)
        return [stage_cost_usd(candidate, load) for load in loads]


def _times(other: Decimal | None, own: Decimal | None) -> Decimal:
    assert other is not None
    assert own is not None
    if other <= own:
        return Decimal(1)
    return other / own if own else Decimal("Infinity")


def _at_most(cost: Decimal | None, most: Decimal) -> bool:
    return cost is not None and cost <= most
