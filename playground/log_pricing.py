"""What a log of tickets costs under every plan, without calling a model.

A pure function over a batch: it can run on one core or on many machines, and totals of batches add up exactly, because money is
whole numbers of 10^-12 USD until it is shown. Retries are not priced: which outputs fail is only known when tickets run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.batch_router import UNPRICED, Whole, choose_many, counted
from playground.difficulty import cues, may_have_cues
from playground.knowledge import HelpCentre
from playground.log_tickets import LogTickets
from playground.prompt_counts import count_inputs
from playground.records import PLANS, Bar, Cue, Plan, Policy, Ticket
from playground.router import Router


@dataclass(frozen=True, slots=True, eq=False)
class PricedBatch:
    """Costs of a batch in 10^-12 USD, by plan, shaped (tickets, stages); `UNPRICED` where a price is missing."""

    ids: tuple[str, ...]
    customers: tuple[str, ...]
    stages: tuple[str, ...]
    costs: Mapping[Plan, Whole]
    input_tokens: Whole
    """Shaped (tickets, stages)."""
    models: Mapping[tuple[Plan, str], Mapping[str, int]]
    """Plan and stage to how many tickets each candidate got."""
    hard: NDArray[np.bool_]
    """Tickets whose bar was raised at some stage."""

    def ticket_costs(self, plan: Plan) -> Whole:
        """Each ticket's whole cost; `UNPRICED` where a part of it has no price."""
        costs = self.costs[plan]
        return np.where((costs == UNPRICED).any(axis=1), UNPRICED, np.where(costs == UNPRICED, 0, costs).sum(axis=1))


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
    costs: dict[Plan, Whole] = {}
    models: dict[tuple[Plan, str], dict[str, int]] = {}
    for plan in plans:
        chosen = [choose_many(router, s, inputs[s.key], bars[s.key], plan) for s in flow.stages]
        costs[plan] = np.stack([c.cost_pico_usd for c in chosen], axis=1)
        for stage, c in zip(flow.stages, chosen, strict=True):
            models[plan, stage.key] = {candidate.key: n for candidate, n in counted(c)}
    given = np.stack([inputs[s.key].sum(axis=1) for s in flow.stages], axis=1)
    keys = tuple(s.key for s in flow.stages)
    return PricedBatch(tickets.ids, tickets.customers, keys, costs, given, models, hard)


def merged(batches: Iterable[PricedBatch]) -> PricedBatch:
    """Batches as one, in their order. Raises `ValueError` where there is none."""
    parts = list(batches)
    if not parts:
        raise ValueError("there is no batch to merge")
    models: dict[tuple[Plan, str], dict[str, int]] = {}
    for part in parts:
        for where, numbers in part.models.items():
            into = models.setdefault(where, {})
            for key, n in numbers.items():
                into[key] = into.get(key, 0) + n
    return PricedBatch(
        tuple(i for p in parts for i in p.ids),
        tuple(c for p in parts for c in p.customers),
        parts[0].stages,
        {plan: np.concatenate([p.costs[plan] for p in parts]) for plan in parts[0].costs},
        np.concatenate([p.input_tokens for p in parts]),
        models,
        np.concatenate([p.hard for p in parts]),
    )


def _bars(tickets: LogTickets, router: Router) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_]]:
    """Each stage's bar for each ticket, and which tickets are hard. What re-ranking would find is not known, so it raises none."""
    n = len(tickets.ids)
    usual = {s.key: router.bar(s).value for s in router.pipeline.stages}
    bars = {key: np.full(n, value) for key, value in usual.items()}
    hard = np.zeros(n, np.bool_)
    for row, found in _cues(tickets) if router.settings.raise_bars else ():
        for stage in router.pipeline.stages:
            bar: Bar = router.bar(stage, found)
            bars[stage.key][row] = bar.value
            hard[row] |= bool(bar.raised_by)
    return bars, hard


def _cues(tickets: LogTickets) -> Iterable[tuple[int, tuple[Cue, ...]]]:
    for row, (subject, text) in enumerate(zip(tickets.subjects, tickets.texts, strict=True)):
        if may_have_cues(f"{subject}\n{text}"):
            found = cues(Ticket(tickets.ids[row], text, subject))
            if found:
                yield row, found
