"""What each stage costs a month under each plan, and on any candidate: from the ticket that ran, or from a priced log.

A stage's month holds its share of retries and of tickets that come back, so the stages of a plan add up to its month on models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import UNPRICED, Whole, costs, exact_sum, in_usd
from playground.batch_prefixes import one_prefix
from playground.bill import PlanBill, priced
from playground.errors import BadModel
from playground.evidence import pairs_to_prove
from playground.forecast import Assumptions, Spend, month
from playground.log_pricing import ROUTED, PricedBatch
from playground.migration.facts import StageFacts, Trial
from playground.options import Limits, Load
from playground.pipeline import Pipeline, Stage
from playground.prompt_caching import CachedPrefix
from playground.records import Plan, Trace
from playground.router import Router
from playground.ticket_month import stage_spend_of


class Paper(Protocol):
    """What an average ticket spends, `None` where a price is missing. kr-auto is by estimates, whatever is chosen."""

    def spend(self, plan: Plan, stage: Stage) -> Spend | None:
        """What a stage costs under a plan."""

    def model(self, plan: Plan, stage: Stage) -> str:
        """The candidate that a plan uses, on most tickets."""

    def spend_on(self, stage: Stage, candidate: str) -> Spend | None:
        """What a stage would cost on a candidate."""


@dataclass(frozen=True, slots=True)
class TicketPaper:
    """One ticket that ran. `estimated` is its kr-auto bill by estimates."""

    trace: Trace
    router: Router
    plans: Mapping[Plan, PlanBill]
    estimated: PlanBill
    prompt_cache: bool = True

    def spend(self, plan: Plan, stage: Stage) -> Spend | None:
        """What a stage costs under a plan."""
        return stage_spend_of(self.trace, self.router, self._bill(plan), stage.key, self.prompt_cache)

    def model(self, plan: Plan, stage: Stage) -> str:
        """The candidate that a plan uses."""
        found = self._bill(plan).decision(stage.key)
        return "" if found is None else found.chosen.key

    def spend_on(self, stage: Stage, candidate: str) -> Spend | None:
        """What a stage would cost on a candidate."""
        part = replace(self.trace, steps=tuple(s for s in self.trace.steps if s.stage == stage.key))
        try:
            bill = priced(part, self.router.but(pins={stage.key: candidate}), ROUTED)
        except BadModel:
            return None
        return stage_spend_of(part, self.router, bill, stage.key, self.prompt_cache)

    def _bill(self, plan: Plan) -> PlanBill:
        return self.estimated if plan == ROUTED else self.plans[plan]


@dataclass(frozen=True)
class LogPaper:
    """A priced log, and the router of the agent that it was priced for. Only tickets with a price under every plan count."""

    batch: PricedBatch
    router: Router
    prompt_cache: bool = True
    kept: dict[tuple[str, str], Spend | None] = field(default_factory=dict, repr=False)
    """Sums over the whole log, made once."""

    def spend(self, plan: Plan, stage: Stage) -> Spend | None:
        """What a stage costs under a plan."""
        if (plan, stage.key) not in self.kept:
            self.kept[plan, stage.key] = self._spend(plan, stage)
        return self.kept[plan, stage.key]

    def _spend(self, plan: Plan, stage: Stage) -> Spend | None:
        if plan == ROUTED and not self._by_estimates:
            return self.spend_on(stage, self.model(plan, stage))
        prefixes = (p for p in self.batch.cached_prefixes(plan) if p.stage == stage.key)
        return self._mean(self.batch.costs[plan][:, self.batch.stages.index(stage.key)], prefixes)

    def model(self, plan: Plan, stage: Stage) -> str:
        """The candidate that a plan uses on most tickets."""
        if plan == ROUTED and not self._by_estimates:
            return self._cheapest(stage)
        found = self.batch.models[plan, stage.key]
        return max(found, key=lambda name: found[name])

    def spend_on(self, stage: Stage, candidate: str) -> Spend | None:
        """What a stage would cost on a candidate. A stage's input is taken to be spread evenly over its calls."""
        if (candidate, stage.key) not in self.kept:
            self.kept[candidate, stage.key] = self._spend_on(stage, candidate)
        return self.kept[candidate, stage.key]

    def _spend_on(self, stage: Stage, candidate: str) -> Spend | None:
        try:
            named = self.router.named(candidate)
        except BadModel:
            return None
        options = self.router.options(stage, stage.bar, named)
        found = next((o for o in options if o.candidate.key == named.key), None)
        if found is None:
            return None
        inputs, length = self._inputs(stage), self.batch.fixed[self.batch.stages.index(stage.key)]
        return self._mean(costs(found, stage, inputs), one_prefix(named.model, stage.key, inputs, length))

    def _mean(self, column: Whole, prefixes: Iterable[CachedPrefix]) -> Spend | None:
        of_priced = column[self._priced]
        if not len(of_priced) or (of_priced == UNPRICED).any():
            return None
        return Spend(
            in_usd(exact_sum(of_priced)) / len(of_priced), prefixes=tuple(prefixes) if self.prompt_cache else ()
        )

    @cached_property
    def _priced(self) -> NDArray[np.bool_]:
        return np.asarray(np.all([self.batch.ticket_costs(p) != UNPRICED for p in self.batch.costs], axis=0))

    @cached_property
    def _by_estimates(self) -> bool:
        """Whether the log's kr-auto was priced by estimates, and not by proof."""
        own = self.batch.assured.get("estimated")
        return own is not None and bool(np.array_equal(own, self.batch.ticket_costs(ROUTED)))

    def _inputs(self, stage: Stage) -> Whole:
        whole = self.batch.input_tokens[:, self.batch.stages.index(stage.key)].astype(np.int64)
        return np.stack([(whole + call) // stage.calls for call in range(stage.calls)], axis=1)

    def _cheapest(self, stage: Stage) -> str:
        """By estimates, for a ticket of mean length."""
        by = self.router.under("estimated")
        mean = [int(n) for n in self._inputs(stage).mean(axis=0)]
        load = Load(tuple(mean), stage.typical_output_tokens, stage.max_output_tokens)
        before = by.named(stage.before).key
        options = by.options(stage, by.settings.bars.get(stage.key, stage.bar))
        rescue = next(o for o in options if o.candidate.key == before).cost_usd(load)
        seen = [o.look(load, rescue, Limits()) for o in options]
        fit = [
            (c.expected_cost_usd, c.candidate.key)
            for c in seen
            if c.code == "dearer" and c.expected_cost_usd is not None
        ]
        return min(fit)[1] if fit else before


def stage_facts(
    flow: Pipeline,
    paper: Paper | None,
    spends: Mapping[Plan, Spend],
    a: Assumptions,
    trials: Mapping[str, tuple[Trial, ...]],
) -> tuple[StageFacts, ...]:
    """Every stage of an agent with its months. `trials` by stage come without their months; without a paper nothing is priced."""
    return tuple(_facts(s, paper, spends, a, trials.get(s.key, ())) for s in flow.stages)


def _facts(
    stage: Stage, paper: Paper | None, spends: Mapping[Plan, Spend], a: Assumptions, trials: tuple[Trial, ...]
) -> StageFacts:
    plain = StageFacts(
        stage.key, stage.title, stage.tier, stage.before, stage.margin, pairs_to_prove(stage.margin), trials=trials
    )
    if paper is None:
        return plain

    def usd(plan: Plan) -> Decimal | None:
        return _month(paper.spend(plan, stage), spends[plan], a)

    return replace(
        plain,
        before_usd=usd("before"),
        stratified_usd=usd("stratified"),
        routed_usd=usd(ROUTED),
        stratified=paper.model("stratified", stage),
        routed=paper.model(ROUTED, stage),
        trials=tuple(
            replace(t, usd_month=_month(paper.spend_on(stage, t.candidate), spends[ROUTED], a)) for t in trials
        ),
    )


def _month(own: Spend | None, whole: Spend, a: Assumptions) -> Decimal | None:
    """A stage's month with retries and returning tickets, at the rounds of its plan."""
    if own is None:
        return None
    return month(replace(whole, one_round_usd=own.one_round_usd, prefixes=own.prefixes), a).tokens_usd
