"""What each stage costs a month under each plan, and on any candidate: from the ticket that ran, or from a priced log.

A stage's month holds its share of retries and of tickets that come back, so the stages of a plan add up to its month on models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import UNPRICED, Whole, costs, exact_sum, in_usd
from playground.bill import PlanBill, priced
from playground.errors import BadModel
from playground.evidence import pairs_to_prove
from playground.forecast import Assumptions, Spend, month
from playground.log_pricing import ROUTED, PricedBatch
from playground.migration.facts import StageFacts, Trial
from playground.options import Limits, Load
from playground.pipeline import Pipeline, Stage
from playground.records import Plan, Trace
from playground.router import Router


class Paper(Protocol):
    """Means a ticket and round in USD, `None` where a price is missing. kr-auto is by estimates, whatever is chosen."""

    def mean_usd(self, plan: Plan, stage: Stage) -> Decimal | None:
        """What a stage costs under a plan."""

    def model(self, plan: Plan, stage: Stage) -> str:
        """The candidate that a plan uses, on most tickets."""

    def on_usd(self, stage: Stage, candidate: str) -> Decimal | None:
        """What a stage would cost on a candidate."""


@dataclass(frozen=True, slots=True)
class TicketPaper:
    """One ticket that ran. `estimated` is its kr-auto bill by estimates."""

    trace: Trace
    router: Router
    plans: Mapping[Plan, PlanBill]
    estimated: PlanBill

    def mean_usd(self, plan: Plan, stage: Stage) -> Decimal | None:
        """What a stage costs under a plan."""
        return self._bill(plan).stage_total(stage.key).exact_usd

    def model(self, plan: Plan, stage: Stage) -> str:
        """The candidate that a plan uses."""
        found = self._bill(plan).decision(stage.key)
        return "" if found is None else found.chosen.key

    def on_usd(self, stage: Stage, candidate: str) -> Decimal | None:
        """What a stage would cost on a candidate."""
        part = replace(self.trace, steps=tuple(s for s in self.trace.steps if s.stage == stage.key))
        try:
            return priced(part, self.router.but(pins={stage.key: candidate}), ROUTED).total.exact_usd
        except BadModel:
            return None

    def _bill(self, plan: Plan) -> PlanBill:
        return self.estimated if plan == ROUTED else self.plans[plan]


@dataclass(frozen=True)
class LogPaper:
    """A priced log, and the router of the agent that it was priced for. Only tickets with a price under every plan count."""

    batch: PricedBatch
    router: Router
    kept: dict[tuple[str, str], Decimal | None] = field(default_factory=dict, repr=False)
    """Sums over the whole log, made once."""

    def mean_usd(self, plan: Plan, stage: Stage) -> Decimal | None:
        """What a stage costs under a plan."""
        if (plan, stage.key) not in self.kept:
            self.kept[plan, stage.key] = self._mean_usd(plan, stage)
        return self.kept[plan, stage.key]

    def _mean_usd(self, plan: Plan, stage: Stage) -> Decimal | None:
        if plan == ROUTED and not self._by_estimates:
            return self.on_usd(stage, self.model(plan, stage))
        return self._mean(self.batch.costs[plan][:, self.batch.stages.index(stage.key)])

    def model(self, plan: Plan, stage: Stage) -> str:
        """The candidate that a plan uses on most tickets."""
        if plan == ROUTED and not self._by_estimates:
            return self._cheapest(stage)
        found = self.batch.models[plan, stage.key]
        return max(found, key=lambda name: found[name])

    def on_usd(self, stage: Stage, candidate: str) -> Decimal | None:
        """What a stage would cost on a candidate. A stage's input is taken to be spread evenly over its calls."""
        if (candidate, stage.key) not in self.kept:
            self.kept[candidate, stage.key] = self._on_usd(stage, candidate)
        return self.kept[candidate, stage.key]

    def _on_usd(self, stage: Stage, candidate: str) -> Decimal | None:
        try:
            named = self.router.named(candidate)
        except BadModel:
            return None
        options = self.router.options(stage, stage.bar, named)
        found = next((o for o in options if o.candidate.key == named.key), None)
        return None if found is None else self._mean(costs(found, stage, self._inputs(stage)))

    def _mean(self, column: Whole) -> Decimal | None:
        of_priced = column[self._priced]
        if not len(of_priced) or (of_priced == UNPRICED).any():
            return None
        return in_usd(exact_sum(of_priced)) / len(of_priced)

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
        return _month(paper.mean_usd(plan, stage), spends[plan], a)

    return replace(
        plain,
        before_usd=usd("before"),
        stratified_usd=usd("stratified"),
        routed_usd=usd(ROUTED),
        stratified=paper.model("stratified", stage),
        routed=paper.model(ROUTED, stage),
        trials=tuple(replace(t, usd_month=_month(paper.on_usd(stage, t.candidate), spends[ROUTED], a)) for t in trials),
    )


def _month(mean_usd: Decimal | None, spend: Spend, a: Assumptions) -> Decimal | None:
    """A stage's month with retries and returning tickets, at the rounds of its plan."""
    return None if mean_usd is None else month(replace(spend, one_round_usd=mean_usd), a).tokens_usd
