"""A shadow evaluation as resumable work: each ticket is a unit, and what is kept of it is its pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from playground.bounded import Finished, Unit, Work, giving_up
from playground.guardrails.gate import stated_confidence
from playground.money import Total
from playground.pairs import NO_INTENT, Pair, as_payload, cost_of, from_payload, neither, without_texts
from playground.records import Candidate, Context, Output, Receipt, Step, Ticket
from playground.scoring import JUDGED, Judge, Judged, Judgement, Winner, judge, score, shown
from playground.shadow import Shadowed, Shadowing
from playground.watch import Stopping, Watch


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one ticket: what is kept of it, every receipt, and why nobody answered where that is so."""

    payload: dict[str, Any]
    receipts: tuple[Receipt, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """What is done with every ticket. `judge` is needed where only a judge can compare; `truth` gives true labels by ticket id."""

    shadowing: Shadowing
    judge: Judge | None = None
    truth: Mapping[str, str] = field(default_factory=dict)
    keep_texts: bool = False

    def __call__(self, ticket: Ticket, stop: Event) -> Done:
        """One ticket on every arm, scored. Where nobody answered, it is not finished: it runs again when the work goes on."""
        watch = Stopping(stop)
        seen = self.shadowing(ticket, watch)
        receipts, pairs, why = list(seen.receipts), {}, seen.unanswered
        for candidate in self.shadowing.arms.candidates if seen.context is not None and not why else ():
            pair, judged = self._pair(seen, seen.context, candidate, watch)
            receipts += judged.receipts
            why = why or judged.unanswered
            pairs[candidate.key] = as_payload(pair if self.keep_texts else without_texts(pair))
        return Done({"pairs": pairs, "why": seen.why, **({"partial": True} if why else {})}, tuple(receipts), why)

    def _pair(self, seen: Shadowed, context: Context | None, candidate: Candidate, watch: Watch) -> tuple[Pair, Judged]:
        assert context is not None
        current, other = seen.arms[self.shadowing.arms.current.key], seen.arms[candidate.key]
        judged = self._judged(context, current.output, other.output, seen.ticket.id, watch)
        found = judged.score
        pair = Pair(
            ticket=seen.ticket.id,
            value=0.0 if found is None else found.value,
            customer=seen.ticket.customer_id or "",
            intent=_intent(seen, current),
            current_score=None if found is None else found.current,
            candidate_score=None if found is None else found.candidate,
            kind="judge" if found is None else found.kind,
            note=judged.problem if found is None else found.note,
            current_chars=judged.lengths[0] if found is None else found.lengths[0],
            candidate_chars=judged.lengths[1] if found is None else found.lengths[1],
            current_usd=cost_of(current),
            candidate_usd=cost_of(other),
            provenance=self.shadowing.agent.provenance,
            orders=(_side(judged.first), _side(judged.second)),
            outcomes=tuple(r.outcome for r in judged.receipts),
            missing=found is None or neither(found),
            texts=(seen.ticket.text, _shown(current), _shown(other)),
            confidences=(_confidence(current), _confidence(other)),
        )
        return pair, judged

    def _judged(
        self, context: Context, current: Output | None, candidate: Output | None, ticket: str, watch: Watch
    ) -> Judged:
        stage, keep = self.shadowing.stage, self.shadowing.agent.pipeline.keep
        if stage.key in JUDGED and self.judge is not None:
            return judge(self.judge, stage, context, current, candidate, watch)
        return Judged(score(stage, context, current, candidate, self.truth.get(ticket), keep))


def shadow_work(task: Task, tickets: Mapping[str, Ticket]) -> Work:
    """What runs one unit: its ticket, by the unit's key. Every attempt of every arm and of the judge is paid for."""

    def run_one(unit: Unit, stop: Event) -> Finished:
        done = task(tickets[unit.key], stop)
        return Finished(unit.key, done.payload, Total.of(r.cost_usd for r in done.receipts).known_usd, why=done.why)

    return giving_up(run_one)


def _side(judgement: Judgement | None) -> Winner | None:
    return None if judgement is None else judgement.winner


def _confidence(step: Step) -> float | None:
    return None if step.output is None else stated_confidence(step.output)


def _shown(step: Step) -> str:
    output = step.output
    if isinstance(output, Mapping) and "label" in output:
        return str(output["label"])
    return "" if output is None else shown(output)


def _intent(seen: Shadowed, current: Step) -> str:
    """What the current model takes the ticket for: verdicts for each intent are drawn from it."""
    steps = {s.stage: s.output for s in (*seen.before, current)}
    output = steps.get("intent")
    return str(output.get("label", NO_INTENT)) if isinstance(output, Mapping) else NO_INTENT


def pairs_of(payloads: Sequence[Mapping[str, Any]], candidate: str) -> Iterator[Pair]:
    """The pairs of one candidate, in the order in which they were kept."""
    return (from_payload(p["pairs"][candidate]) for p in payloads if candidate in p["pairs"])
