"""Outputs of two models that a team logged elsewhere, to be scored or judged here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from playground.bounded import Finished, Unit, Work, giving_up
from playground.logs import LogRead
from playground.logs.tables import Named, Once, rows_of
from playground.loop import Agent
from playground.money import Total
from playground.pairs import NO_INTENT, Pair, as_payload, neither, without_texts
from playground.pipeline import Stage
from playground.records import Context, Output, Ticket
from playground.scoring import JUDGED, Judge, Judged, judge, score, shown
from playground.tickets import clean
from playground.watch import Stopping

NEEDED = ("current", "candidate")


@dataclass(frozen=True, slots=True)
class Logged:
    """What both models said of one ticket."""

    ticket: Ticket
    intent: str
    current: str
    candidate: str
    truth: str | None = None


def read_outputs(path: Path, read: LogRead | None = None) -> Iterator[Logged]:
    """Columns current and candidate with both outputs; also ticket, customer, intent, text, subject and truth.

    A row without a ticket's text can be scored by what is compared alone. Raises `BadInput` where a column is missing.
    """
    once = Once()

    def take(number: int, row: Named, told: LogRead) -> Logged | None:
        found = _logged(number, row)
        return found if once.is_new(found.ticket.id, number, told) else None

    needs = "the columns current and candidate, with what each model put out"
    return rows_of(path, read, lambda names: set(NEEDED) <= names, needs, take)


def _logged(number: int, row: Mapping[str, Any]) -> Logged:
    def text(name: str) -> str:
        value = row.get(name)
        return (
            json.dumps(value) if isinstance(value, dict | list) else clean(str(value if value is not None else ""))[0]
        )

    ticket = Ticket(
        text("ticket")[:300] or f"row {number}", text("text"), text("subject")[:300], text("customer")[:300] or None
    )
    return Logged(ticket, text("intent")[:100] or NO_INTENT, text("current"), text("candidate"), text("truth") or None)


def completed(stage: Stage, text: str) -> Output | None:
    """An output as its stage has it: JSON as it is; a bare label, answer, or list of ids in the form that holds it."""
    if stage.output.kind == "text":
        return text or None
    if text.startswith("{"):
        return text
    ids = [part.strip() for part in text.split(",") if part.strip()]
    bare: Mapping[str, Output] = {
        "intent": {"label": text, "language": "en", "confidence": 1.0},
        "draft": {"answer": text, "citations": [], "confidence": 0.5, "open_questions": []},
        "rerank": {"scores": [{"id": name, "score": max(0.0, 10 - 0.1 * i)} for i, name in enumerate(ids)]},
        "check": {"findings": [{"policy": name, "problem": "", "change": ""} for name in ids], "escalate": False},
    }
    return bare.get(stage.key, text) if text or stage.key == "check" else None


def logged_work(
    agent: Agent, stage: Stage, candidate: str, by: Judge | None, outputs: Sequence[Logged], keep_texts: bool = False
) -> Work:
    """What scores one unit: the output pair whose number is the unit's key."""

    def run_one(unit: Unit, stop: Event) -> Finished:
        logged = outputs[int(unit.key)]
        judged = _judged(agent, stage, by, logged, stop)
        why = judged.unanswered
        pair = _pair(logged, stage, by, judged)
        kept = pair if keep_texts else without_texts(pair)
        payload = {"pairs": {candidate: as_payload(kept)}, "why": "", **({"partial": True} if why else {})}
        return Finished(unit.key, payload, Total.of(r.cost_usd for r in judged.receipts).known_usd, why=why)

    return giving_up(run_one)


def _judged(agent: Agent, stage: Stage, by: Judge | None, logged: Logged, stop: Event) -> Judged:
    flow = agent.pipeline
    context = Context(logged.ticket, flow.labels, agent.policies)
    current, candidate = (completed(stage, text) for text in (logged.current, logged.candidate))
    if stage.key in JUDGED and by is not None:
        return judge(by, stage, context, current, candidate, Stopping(stop))
    truth = logged.truth if logged.truth in flow.labels else None
    return Judged(score(stage, context, current, candidate, truth, flow.keep))


def _pair(logged: Logged, stage: Stage, by: Judge | None, judged: Judged) -> Pair:
    found = judged.score
    said = [shown(completed(stage, t)) for t in (logged.current, logged.candidate)]
    rehearsed = stage.key in JUDGED and by is not None and by.provenance == "rehearsal"
    pair = Pair(
        logged.ticket.id,
        0.0,
        logged.ticket.customer_id or "",
        logged.intent,
        kind="judge",
        note=judged.problem,
        current_chars=judged.lengths[0],
        candidate_chars=judged.lengths[1],
        provenance="rehearsal" if rehearsed else "recorded",
        orders=tuple(None if j is None else j.winner for j in (judged.first, judged.second)),  # type: ignore[arg-type]
        outcomes=tuple(r.outcome for r in judged.receipts),
        missing=found is None or neither(found),
        texts=(logged.ticket.text, said[0], said[1]),
    )
    if found is None:
        return pair
    return replace(
        pair,
        value=found.value,
        current_score=found.current,
        candidate_score=found.candidate,
        kind=found.kind,
        note=found.note,
    )
