"""Verdicts as notes that outlive a session, and what is left of them after those that were withdrawn."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, get_args

from playground.errors import BadInput
from playground.records import PlanNote, Proof, Provenance

VERSION = 1


@dataclass(frozen=True, slots=True)
class Remembered:
    """A verdict that an earlier session recorded. `at` is in UTC; `said` is a sentence on where."""

    proof: Proof
    at: datetime
    said: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What notes come to, the earliest first. `unread` are notes that this program cannot make out."""

    verdicts: tuple[Remembered, ...] = ()
    guards: tuple[PlanNote, ...] = ()
    """The last switch of each guardrail of each agent."""
    starts: tuple[PlanNote, ...] = ()
    """The last first day of each agent's plan."""
    unread: int = 0

    def guard(self, pipeline: str, key: str) -> PlanNote | None:
        """How a guardrail was last switched; `None` where it never was."""
        return next((n for n in self.guards if (n.pipeline, n.subject) == (pipeline, key)), None)

    def start(self, pipeline: str) -> date | None:
        """The first day that was picked for an agent's plan."""
        found = next((n.value for n in self.starts if n.pipeline == pipeline), None)
        return None if found is None else date.fromisoformat(found)

    def of(self, proof: Proof) -> Remembered | None:
        """What is remembered of a verdict."""
        return next((r for r in self.verdicts if r.proof == proof), None)


def verdict_note(proof: Proof, at: datetime, said: str) -> PlanNote:
    """A recorded verdict as a note."""
    return PlanNote(at, "verdict", proof.pipeline, proof.stage, proof.provenance, _written(proof), said)


def withdrawn_note(proof: Proof, at: datetime, said: str) -> PlanNote:
    """A verdict that was taken back as a note."""
    return PlanNote(at, "withdrawn", proof.pipeline, proof.stage, proof.provenance, _written(proof), said)


def remembered(notes: Iterable[PlanNote]) -> Memory:
    """What notes, the oldest first, come to: of verdicts those that were not withdrawn later, of the rest the last."""
    kept: dict[Proof, Remembered] = {}
    last: dict[tuple[str, str, str], PlanNote] = {}
    unread = 0
    for note in notes:
        try:
            _take(note, kept, last)
        except BadInput:
            unread += 1
    guards, starts = (tuple(n for n in last.values() if n.kind == kind) for kind in ("guard", "start"))
    return Memory(tuple(kept.values()), guards, starts, unread)


def _take(note: PlanNote, kept: dict[Proof, Remembered], last: dict[tuple[str, str, str], PlanNote]) -> None:
    if note.kind == "verdict":
        proof = _read(note.value)
        kept.pop(proof, None)
        kept[proof] = Remembered(proof, note.at, note.said)
    elif note.kind == "withdrawn":
        kept.pop(_read(note.value), None)
    elif note.kind == "start":
        _day(note.value)
        last[note.kind, note.pipeline, note.subject] = note
    elif note.kind == "guard" and note.value in ("on", "off"):
        last[note.kind, note.pipeline, note.subject] = note
    else:
        raise BadInput(f"A note of the kind {note.kind!r} is not known.")


def _written(proof: Proof) -> str:
    whole = {f.name: getattr(proof, f.name) for f in fields(proof)}
    return json.dumps({"schema": VERSION, **whole, "decided_on": proof.decided_on.isoformat()})


def _read(text: str) -> Proof:
    """The verdict that `_written` wrote. Raises `BadInput` for anything else."""
    try:
        found: dict[str, Any] = json.loads(text)
        if found.pop("schema") != VERSION:
            raise BadInput("A verdict was written by a newer version of this program.")
        proof = Proof(**{**found, "decided_on": _day(found["decided_on"])})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput("A verdict in the ledger cannot be read.") from error
    return _checked(proof)


def _checked(proof: Proof) -> Proof:
    names = ("stage", "candidate", "model_id", "pipeline", "version", "prompt_digest", "current", "unit", "judge")
    texts = [getattr(proof, name) for name in names]
    good = all(isinstance(text, str) for text in texts) and all(type(n) is int for n in (proof.pairs, proof.labels))
    good &= proof.margin is None or type(proof.margin) in (int, float)
    if not good or proof.verdict not in ("CUT OVER", "KEEP") or proof.provenance not in get_args(Provenance):
        raise BadInput("A verdict in the ledger cannot be read.")
    return proof


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise BadInput(f"{text!r} is not a day.") from error
