"""What a log of tickets costs under every plan, without calling a model.

A pure function over a batch: it can run on one core or on many machines, and totals of batches add up exactly, because money is
whole numbers of 10^-12 USD until it is shown. Retries are not priced: which outputs fail is only known when tickets run.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.batch_costs import UNPRICED, Whole, answer_costs, cache_saving
from playground.batch_difficulty import cues_by_kind
from playground.batch_prefixes import Case, PrefixSums, cached_prefixes, prefix_sums
from playground.batch_router import Chosen, by_candidate, choose_many, counted, one_for_all
from playground.catalog import reasoning_tokens
from playground.knowledge import HelpCentre
from playground.log_tickets import LogTickets
from playground.pipeline import Pipeline, Stage
from playground.prompt_caching import CachedPrefix
from playground.prompt_counts import OF_A_TICKET, count_inputs, prefix_tokens
from playground.records import ASSURANCES, PLANS, Assurance, Bar, Candidate, Plan, Policy
from playground.router import Router
from playground.templates import variables

Models = Mapping[tuple[Plan, str], Mapping[str, int]]
ROUTED: Plan = "kr-auto"


@dataclass(frozen=True, slots=True, eq=False)
class PricedBatch:
    """A priced batch, column by column, a ticket a row. Money is in 10^-12 USD; `UNPRICED` where a price is missing."""

    ids: NDArray[np.object_]
    customers: NDArray[np.object_]
    days: NDArray[np.int32]
    rounds: NDArray[np.int32]
    satisfaction: NDArray[np.float32]
    labels: NDArray[np.object_]
    stages: tuple[str, ...]
    costs: Mapping[Plan, Whole]
    """One round of the loop by plan, shaped (tickets, stages)."""
    assured: Mapping[Assurance, Whole]
    """One round of kr-auto under either assurance: what could be saved, and what has been proven."""
    answers: Mapping[Plan, Whole]
    """The part of a round's cost that is output tokens, by plan."""
    cached: Whole
    """What a warm provider cache would take off kr-auto, shaped (tickets, stages)."""
    reference: Whole
    """The same work on the models each stage ran on in 2025; `UNPRICED` where the agent names none."""
    prompts: Mapping[str, NDArray[np.uint64]]
    """What a stage's prompts hold of a ticket, by the names of its slots: equal where they are equal."""
    slots: tuple[str, ...]
    """The key in `prompts` of each stage."""
    input_tokens: NDArray[np.int32]
    """Shaped (tickets, stages)."""
    models: Models
    """Plan and stage to how many tickets each candidate got."""
    hard: NDArray[np.bool_]
    """Tickets whose bar was raised at some stage."""
    fixed: tuple[int, ...] = ()
    """Tokens of the fixed part of each stage's prompts."""
    prefixes: PrefixSums = field(default_factory=dict)
    """What providers' caches change on it under each plan and either assurance."""

    def ticket_costs(self, plan: Plan) -> Whole:
        """Each ticket's cost of one round; `UNPRICED` where a part of it has no price."""
        return sum_priced(self.costs[plan])

    def cached_prefixes(self, case: Case) -> tuple[CachedPrefix, ...]:
        """What providers' caches change under a plan or an assurance, for an average ticket of the batch."""
        return cached_prefixes(self.prefixes, case, max(1, len(self.ids)))


def sum_priced(costs: Whole) -> Whole:
    """Rows added up; `UNPRICED` where a part has no price."""
    missing = (costs == UNPRICED).any(axis=1)
    if not missing.any():
        return np.asarray(costs.sum(axis=1), np.int64)
    return np.where(missing, UNPRICED, np.where(costs == UNPRICED, 0, costs).sum(axis=1))


def price_batch(
    tickets: LogTickets,
    router: Router,
    help_centre: HelpCentre,
    policies: tuple[Policy, ...],
    plans: Sequence[Plan] = PLANS,
) -> PricedBatch:
    """Price a batch of tickets under each plan. Raises `BadModel` where the agent names a model that does not exist."""
    flow = router.pipeline
    inputs = count_inputs(tickets, flow, help_centre, policies)
    bars, hard = _bars(tickets, router)
    chosen = {p: [choose_many(router, s, inputs[s.key], bars[s.key], p) for s in flow.stages] for p in plans}
    both = _both(router, chosen[ROUTED], inputs, bars) if ROUTED in chosen else {}
    fixed = tuple(prefix_tokens(s, flow, policies) for s in flow.stages)
    return PricedBatch(
        np.array(tickets.ids, object),
        np.array(tickets.customers, object),
        tickets.days,
        tickets.rounds,
        tickets.satisfaction,
        np.array(tickets.labels, object),
        tuple(s.key for s in flow.stages),
        {plan: np.stack([c.cost_pico_usd for c in by_stage], axis=1) for plan, by_stage in chosen.items()},
        {a: sum_priced(np.stack([c.cost_pico_usd for c in by_stage], axis=1)) for a, by_stage in both.items()},
        {plan: _answers(router, by_stage, inputs) for plan, by_stage in chosen.items()},
        _cached(flow, chosen.get(ROUTED, ()), inputs, fixed, len(tickets.ids)),
        _reference(router, inputs, len(tickets.ids)),
        _digests(tickets, flow),
        tuple(_slots(s) for s in flow.stages),
        np.stack([inputs[s.key].sum(axis=1) for s in flow.stages], axis=1).astype(np.int32),
        _models(flow, chosen),
        hard,
        fixed,
        prefix_sums([*chosen.items(), *both.items()], flow.stages, inputs, fixed),
    )


def price_all(
    batches: Iterable[LogTickets], price: Callable[[LogTickets], PricedBatch], workers: int | None = None
) -> Iterator[PricedBatch]:
    """Price batch after batch, in their order, on all cores; no more than a few batches are held at a time."""
    workers = workers or os.cpu_count() or 1
    waiting: deque[Future[PricedBatch]] = deque()
    with ThreadPoolExecutor(workers, "price") as pool:
        for batch in batches:
            waiting.append(pool.submit(price, batch))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _both(
    router: Router, own: Sequence[Chosen], inputs: Mapping[str, Whole], bars: Mapping[str, NDArray[np.float64]]
) -> dict[Assurance, Sequence[Chosen]]:
    found: dict[Assurance, Sequence[Chosen]] = {router.settings.assurance: own}
    for assurance in ASSURANCES:
        if assurance not in found:
            other = router.under(assurance)
            stages = router.pipeline.stages
            found[assurance] = [choose_many(other, s, inputs[s.key], bars[s.key], ROUTED) for s in stages]
    return found


def _models(flow: Pipeline, chosen: Mapping[Plan, Sequence[Chosen]]) -> Models:
    return {
        (plan, stage.key): {candidate.key: n for candidate, n in counted(c)}
        for plan, by_stage in chosen.items()
        for stage, c in zip(flow.stages, by_stage, strict=True)
    }


def _cached(
    flow: Pipeline, chosen: Sequence[Chosen], inputs: Mapping[str, Whole], fixed: tuple[int, ...], tickets: int
) -> Whole:
    saved = np.zeros((tickets, len(flow.stages)), np.int64)
    for i, (stage, c) in enumerate(zip(flow.stages, chosen, strict=False)):
        for candidate, rows in by_candidate(c):
            saved[rows, i] = cache_saving(candidate.model, inputs[stage.key][rows], fixed[i])
    return saved


def _answers(router: Router, chosen: Sequence[Chosen], inputs: Mapping[str, Whole]) -> Whole:
    found = np.zeros(len(chosen[0].column), np.int64)
    for stage, c in zip(router.pipeline.stages, chosen, strict=True):
        for candidate, rows in by_candidate(c):
            thinking = reasoning_tokens(candidate, stage.typical_output_tokens)
            found[rows] += answer_costs(candidate.model, thinking, stage, inputs[stage.key][rows])
    return found


def _reference(router: Router, inputs: Mapping[str, Whole], tickets: int) -> Whole:
    stages = router.pipeline.stages
    if any(s.reference is None for s in stages):
        return np.full(tickets, UNPRICED)
    costs = [one_for_all(router, s, inputs[s.key], _referred(router, s)).cost_pico_usd for s in stages]
    return sum_priced(np.stack(costs, axis=1))


def _referred(router: Router, stage: Stage) -> Candidate:
    return Candidate(router.catalog.by_name(stage.reference or ""))


def _slots(stage: Stage) -> str:
    return " ".join(slot for slot in OF_A_TICKET if slot in variables(stage.prompt.user))


def _digests(tickets: LogTickets, flow: Pipeline) -> dict[str, NDArray[np.uint64]]:
    """64 bits for what each kind of prompt holds of a ticket; they collide once in 30 million logs of a million tickets."""
    from pandas.util import hash_array

    columns = {"ticket": tickets.texts, "subject": tickets.subjects, "customer": tickets.customers}
    hashed = {slot: hash_array(np.array(values, object), categorize=False) for slot, values in columns.items()}
    found = {}
    for slots in dict.fromkeys(_slots(s) for s in flow.stages):
        mixed = np.zeros(len(tickets.ids), np.uint64)
        for slot in slots.split():
            mixed = mixed * np.uint64(1_000_003) ^ hashed[slot]
        found[slots] = mixed
    return found


def merged(batches: Iterable[PricedBatch]) -> PricedBatch:
    """Batches as one, in their order. Raises `ValueError` where there is none."""
    columns: dict[str, list[Any]] = {f.name: [] for f in fields(PricedBatch)}
    for part in batches:
        for name, found in columns.items():
            found.append(getattr(part, name))
    if not columns["ids"]:
        raise ValueError("there is no batch to merge")
    # Column by column, letting go of each: a large log never stands in memory twice.
    return PricedBatch(**{name: _joined(columns.pop(name)) for name in list(columns)})


def _joined(parts: Sequence[Any]) -> Any:
    """One column of all batches: arrays end to end, tables by key, numbers added up."""
    first = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    if isinstance(first, Mapping):
        keys = dict.fromkeys(key for part in parts for key in part)
        return {key: _joined([part[key] for part in parts if key in part]) for key in keys}
    return sum(parts) if isinstance(first, int) else first


def _bars(tickets: LogTickets, router: Router) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_]]:
    """Each stage's bar for each ticket, and which tickets are hard. What re-ranking would find is not known, so it raises none."""
    n = len(tickets.ids)
    usual = {s.key: router.bar(s).value for s in router.pipeline.stages}
    bars = {key: np.full(n, value) for key, value in usual.items()}
    hard = np.zeros(n, np.bool_)
    for rows, found in cues_by_kind(tickets) if router.settings.raise_bars else ():
        for stage in router.pipeline.stages:
            bar: Bar = router.bar(stage, found)
            bars[stage.key][rows] = bar.value
            hard[rows] |= bool(bar.raised_by)
    return bars, hard
