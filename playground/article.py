"""The founding article's cost table, published beside recomputed, and what explains the difference.

Source: KairosRoute, "Scaling an AI Support Agent from 5K to 100K Tickets a Month". Token counts, models and dollar figures of
`PUBLISHED` are the article's; everything else is computed from list prices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from playground.catalog import load_catalog, reasoning_tokens
from playground.forecast import Assumptions, Spend, lognormal_mean, month
from playground.pipeline import Pipeline, Stage, load_shipped
from playground.prices import cost_usd, rates_for
from playground.records import Candidate, Prompt, Usage
from playground.router import Router

PUBLISHED_BEFORE = {
    "intent": "0.003",
    "rerank": "0.041",
    "draft": "0.139",
    "check": "0.033",
    "respond": "0.117",
    "summarise": "0.011",
}
PUBLISHED_STRATIFIED = {
    "intent": "0.0003",
    "rerank": "0.004",
    "draft": "0.139",
    "check": "0.008",
    "respond": "0.117",
    "summarise": "0.001",
}
PUBLISHED_TOTALS = {
    "before": Decimal("0.344"),
    "stratified": Decimal("0.269"),
    "kr-auto": Decimal("0.18"),
    "all-in": Decimal("0.62"),
}
PUBLISHED_TAIL = Decimal("0.90")
MEAN_ROUNDS = lognormal_mean(2.0)
"""The article's tail: the loop runs twice at the 95th percentile."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stage of the article. `unlisted_input_tokens` per call would explain the published figure at list price."""

    stage: str
    title: str
    calls: int
    model: str
    tier_model: str
    input_tokens: int
    output_tokens: int
    published_usd: Decimal
    cost_usd: Decimal
    unlisted_input_tokens: int
    published_stratified_usd: Decimal
    stratified_usd: Decimal

    @property
    def difference_usd(self) -> Decimal:
        """Published minus recomputed."""
        return self.published_usd - self.cost_usd


@dataclass(frozen=True, slots=True)
class Article:
    """The whole table and its totals."""

    rows: tuple[Row, ...]
    all_in_usd: Decimal
    """At the published base: loop twice at p95 (log-normal), 12% escalated, the article's stated assumptions."""
    all_in_at_list_usd: Decimal
    implied_loop_factor: Decimal
    """Mean loop factor that the published all-in figure implies."""

    @property
    def cost_usd(self) -> Decimal:
        """A ticket at list price."""
        return sum((r.cost_usd for r in self.rows), Decimal(0))

    @property
    def stratified_usd(self) -> Decimal:
        """A ticket at list price under the article's tiers."""
        return sum((r.stratified_usd for r in self.rows), Decimal(0))


def recompute() -> Article:
    """The article's table at the list prices of its own models."""
    pipeline = load_shipped("article-2025")
    rows = tuple(_row(pipeline, stage) for stage in pipeline.stages)
    stated = Assumptions(retry_share=0.0)
    base = PUBLISHED_TOTALS["before"]
    at_list = sum((r.cost_usd for r in rows), Decimal(0))
    implied = PUBLISHED_TOTALS["all-in"] * stated.resolved_share / base
    return Article(rows, _per_resolved(base, stated), _per_resolved(at_list, stated), implied)


def _per_resolved(base_usd: Decimal, a: Assumptions) -> Decimal:
    cost = month(Spend(base_usd, rounds=MEAN_ROUNDS), a).per_resolved_usd
    assert cost is not None
    return cost


def _row(pipeline: Pipeline, stage: Stage) -> Row:
    before, tier = _named(stage.before), _named(pipeline.tiers[stage.tier])
    cost = table_cost(stage, before)
    published = Decimal(PUBLISHED_BEFORE[stage.key])
    assert stage.typical_input_tokens is not None
    return Row(
        stage.key, stage.title, stage.calls, before.model.name, tier.model.name, stage.typical_input_tokens,
        stage.typical_output_tokens, published, cost, _unlisted(published - cost, stage.calls, before),
        Decimal(PUBLISHED_STRATIFIED[stage.key]), table_cost(stage, tier),
    )  # fmt: skip


def _named(name: str) -> Candidate:
    return Candidate(load_catalog().by_name(name))


def table_cost(stage: Stage, candidate: Candidate) -> Decimal:
    """A stage at the pipeline's stated token counts, on one candidate, without thinking tokens. Needs a priced model."""
    cost = cost_usd(Usage(stage.typical_input_tokens or 0, stage.typical_output_tokens), candidate.model.price)
    assert cost is not None
    return cost * stage.calls


def _unlisted(difference_usd: Decimal, calls: int, candidate: Candidate) -> int:
    assert candidate.model.price is not None
    rate = rates_for(candidate.model.price, 0).input_usd_per_mtok
    assert rate is not None
    return int((difference_usd / calls / rate * 1_000_000).to_integral_value())


def on_models(choose: Callable[[Stage], Candidate]) -> Decimal:
    """The article's token counts priced on other models in USD a ticket, stage by stage, thinking included."""
    return sum((_with_thinking(stage, choose(stage)) for stage in load_shipped("article-2025").stages), Decimal(0))


def _with_thinking(stage: Stage, candidate: Candidate) -> Decimal:
    thinking = reasoning_tokens(candidate, stage.typical_output_tokens)
    longer = replace(stage, typical_output_tokens=stage.typical_output_tokens + thinking)
    return table_cost(longer, candidate)


def routed(router: Router) -> Decimal:
    """The article's token counts on what a router picks today, in USD a ticket."""
    return on_models(lambda stage: router.decide(stage, _prompts(stage), "kr-auto").chosen)


def _prompts(stage: Stage) -> tuple[Prompt, ...]:
    return tuple(Prompt(stage.key, call, (), stage.typical_input_tokens or 0, 0) for call in range(1, stage.calls + 1))
