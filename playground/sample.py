"""A part of a log, drawn so that short, long and returning tickets all stand in it; and what it cost when it ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.bounded import Finished, Unit, Work, giving_up
from playground.caps import RUN_CAP
from playground.log_pricing import PricedBatch
from playground.log_tickets import UNKNOWN
from playground.logs import Columns, read_log
from playground.loop import Agent, run_all
from playground.money import ZERO, Total
from playground.records import Plan, Receipt, SecondOpinion, Ticket, Trace
from playground.watch import Stopping

SHORT_AND_LONG = (1 / 3, 2 / 3)
"""Quantiles of input tokens that part short, middling and long tickets."""
AT_LEAST = 2
"""Tickets from every stratum that has as many: one alone says nothing of how its kind varies."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Rows of a priced log, in its order, each with its stratum; `population` are the log's tickets by stratum."""

    rows: NDArray[np.int64]
    strata: NDArray[np.int64]
    population: NDArray[np.int64]


def draw(batch: PricedBatch, n: int, seed: int = 0) -> Drawn:
    """Draw `n` tickets, in proportion to strata of length and rounds, but from each at least two; all where there are no more."""
    stratum = _strata(batch)
    population = np.bincount(stratum)
    rng = np.random.default_rng(seed)
    wanted = _allocation(population, min(n, len(stratum)))
    chosen = [rng.choice(np.flatnonzero(stratum == h), size, replace=False) for h, size in enumerate(wanted)]
    rows = np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)
    return Drawn(rows, stratum[rows], population)


def _strata(batch: PricedBatch) -> NDArray[np.int64]:
    """Three lengths times: rounds not known, one, more; numbered without gaps."""
    tokens = batch.input_tokens.sum(axis=1, dtype=np.int64)
    length = np.searchsorted(np.quantile(tokens, SHORT_AND_LONG), tokens) if len(tokens) else tokens
    looped = np.where(batch.rounds == UNKNOWN, 0, np.where(batch.rounds > 1, 2, 1))
    return np.asarray(np.unique(length * 3 + looped, return_inverse=True)[1], np.int64)


def _allocation(population: NDArray[np.int64], n: int) -> list[int]:
    """Largest remainders, after `AT_LEAST` for each stratum, or fewer where `n` does not reach."""
    floors = (np.minimum(population, floor) for floor in range(AT_LEAST, -1, -1))
    sizes = next(least for least in floors if least.sum() <= n).copy()
    share = (population - sizes) * (n - sizes.sum()) / max(1, (population - sizes).sum())
    sizes += np.floor(share).astype(np.int64)
    order = np.argsort(-(share % 1), kind="stable")
    while sizes.sum() < n:
        # The fullest remainders first; a stratum that is used up passes.
        h = next(h for h in order if sizes[h] < population[h])
        sizes[h] += 1
        order = np.append(order[order != h], h)
    return [int(size) for size in sizes]


def tickets_at(path: Path, columns: Columns, rows: Sequence[int]) -> list[Ticket]:
    """The tickets at these rows of a log, read again: a log's texts are not kept. Raises `BadTicket`."""
    wanted, found, start = iter(sorted(rows)), [], 0
    row = next(wanted, None)
    for batch in read_log(path, columns):
        while row is not None and row < start + len(batch.ids):
            i = row - start
            found.append(Ticket(batch.ids[i], batch.texts[i], batch.subjects[i], batch.customers[i] or None))
            row = next(wanted, None)
        if row is None:
            break
        start += len(batch.ids)
    return found


def digest_of(tickets: Sequence[Ticket]) -> str:
    """Names a sample by what is in it, without holding it."""
    whole = sha256()
    for t in tickets:
        whole.update(repr((t.id, t.subject, t.text, t.customer_id)).encode("utf-8", "replace"))
    return whole.hexdigest()[:16]


def ticket_work(agent: Agent, tickets: Mapping[str, Ticket], plan: Plan) -> Work:
    """What runs one unit of a sample: its ticket, by the unit's key, through every stage.

    A ticket that no model answered is not finished: what it cost counts, and it runs again when the sample goes on.
    """

    def run_one(unit: Unit, stop: Event) -> Finished:
        trace = run_all(agent, tickets[unit.key], plan, Stopping(stop))
        payload = as_payload(trace, len(agent.pipeline.stages))
        why = _why(trace) if payload.get("partial") else ""
        beside = [r for _, second in trace.second_opinions for r in second.receipts]
        return Finished(unit.key, payload, Total.of(r.cost_usd for r in (*trace.receipts, *beside)).known_usd, why=why)

    return giving_up(run_one)


def _why(trace: Trace) -> str:
    return trace.steps[-1].message if trace.handover is None else trace.handover.reason


def as_payload(trace: Trace, stages: int) -> dict[str, Any]:
    """What is kept of a ticket that ran: whose it is, how far it came, who took it, and its receipts. No text of it."""
    handover = trace.handover
    done = len(trace.steps) == stages and all(s.state == "done" for s in trace.steps)
    # An output that was rejected is a result; a provider that gave none is not.
    unanswered = bool(trace.steps) and not done and any(map(_got_nothing, trace.steps[-1].receipts))
    # A cap on the run says nothing of the ticket: it runs again when there is more to spend.
    unanswered = handover.rule == RUN_CAP if handover else unanswered
    reached = "" if done or not trace.steps else trace.steps[-1].stage
    return {
        "customer": trace.ticket.customer_id or "",
        "done": done,
        "stopped_at": "" if handover else reached,
        "handed_over": handover.rule if handover else "",
        "receipts": [{**_kept(r), **_instead(trace, r)} for r in trace.receipts],
        "second": [_second(trace.ticket.id, stage, found) for stage, found in trace.second_opinions],
        **({"partial": True} if unanswered else {}),
    }


def _got_nothing(r: Receipt) -> bool:
    """Whether a provider gave no answer; an embedding that failed held none up."""
    return r.outcome == "cancelled" or (r.outcome == "failed" and not r.embedded)


def _second(ticket_id: str, stage: str, found: SecondOpinion) -> dict[str, Any]:
    """A second opinion without its note, which quotes what it read."""
    return {
        "ticket": ticket_id, "stage": stage, "candidate": found.candidate, "probability": found.probability,
        "disagrees": found.disagrees, "receipts": [_kept(r) for r in found.receipts],
    }  # fmt: skip


def _instead(trace: Trace, r: Receipt) -> dict[str, str]:
    """Who was to answer, where another candidate did by a rule."""
    step = trace.step(r.stage)
    moved = r.rerouted and r.outcome == "ok" and step is not None
    return {"instead_of": step.decision.chosen.key} if moved and step is not None else {}


def _kept(r: Receipt) -> dict[str, Any]:
    u = r.usage
    return {
        "stage": r.stage, "call": r.call, "attempt": r.attempt, "model": r.model, "effort": r.effort, "outcome": r.outcome,
        "input_tokens": u.input_tokens, "output_tokens": u.output_tokens, "reasoning_tokens": u.reasoning_tokens,
        "cost_usd": None if r.cost_usd is None else str(r.cost_usd), "provenance": r.provenance,
        **({"embedded": True} if r.embedded else {}),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampleRun:
    """What the tickets that ran cost, in USD."""

    tickets: int
    done: int
    spent_usd: Decimal
    failed_usd: Decimal
    """Of it, attempts whose output was not used."""
    unpriced_calls: int
    stopped_at: Mapping[str, int]
    """Stage to how many tickets went no further."""
    handed_over: Mapping[str, int]
    """Guardrail to how many tickets it gave to a person."""
    output_tokens: Mapping[str, Decimal]
    """Stage to visible output of an accepted call, on average."""
    second: int = 0
    """Second opinions, which are part of no ticket's cost."""
    second_usd: Decimal = ZERO
    second_unpriced: int = 0
    """Calls for them without a price."""


def summed(payloads: Sequence[Mapping[str, Any]]) -> SampleRun:
    """Add up what ran."""
    receipts = [r for p in payloads for r in p["receipts"]]
    second = [s for p in payloads for s in p.get("second", ())]
    stopped = [p["stopped_at"] for p in payloads if p["stopped_at"]]
    return SampleRun(
        len(payloads),
        sum(p["done"] for p in payloads),
        _usd(receipts),
        _usd(r for r in receipts if r["outcome"] != "ok"),
        sum(r["cost_usd"] is None for r in receipts),
        {stage: stopped.count(stage) for stage in dict.fromkeys(stopped)},
        dict(Counter(rule for p in payloads if (rule := p.get("handed_over")))),
        dict(_lengths(receipts)),
        len(second),
        _usd(r for s in second for r in s["receipts"]),
        sum(r["cost_usd"] is None for s in second for r in s["receipts"]),
    )


def _usd(receipts: Any) -> Decimal:
    return sum((Decimal(r["cost_usd"]) for r in receipts if r["cost_usd"] is not None), ZERO)


def _lengths(receipts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Decimal]]:
    for stage in dict.fromkeys(r["stage"] for r in receipts):
        found = [
            r["output_tokens"] - r["reasoning_tokens"]
            for r in receipts
            if r["stage"] == stage and r["outcome"] == "ok" and "embedded" not in r
        ]
        if found:
            yield stage, Decimal(sum(found)) / len(found)
