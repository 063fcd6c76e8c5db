"""Verdicts of shadow evaluations, and whether they still hold.

A verdict holds for the stage, candidate, pipeline version and prompt it was recorded for, and for the model's revision. A changed
prompt or a new revision voids it: what was proven was something else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256

from playground.pipeline import Pipeline, Stage
from playground.records import Candidate, Proof, Provenance


def prompt_digest(flow: Pipeline, stage: Stage) -> str:
    """A short name for a stage's prompt, the output it asks for, and what the agent fills in: its labels and how it retrieves."""
    parts: list[object] = [stage.prompt.system, stage.prompt.user, stage.output.kind, stage.output.schema]
    parts += [dict(flow.labels), flow.retrieve, flow.keep]
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def counting(proofs: Iterable[Proof], provenance: Provenance) -> tuple[Proof, ...]:
    """The verdicts that count for a run: a rehearsed one proves nothing about live models."""
    return tuple(p for p in proofs if p.provenance != "rehearsal" or provenance == "rehearsal")


def standing(
    proofs: Iterable[Proof], pipeline: Pipeline, stage: Stage, candidate: Candidate
) -> tuple[Proof | None, str]:
    """The verdict that holds for a candidate, or `None` and why the latest one does not; no reason where there is none."""
    own = [p for p in proofs if p.stage == stage.key and p.candidate == candidate.key and p.pipeline == pipeline.name]
    why = ""
    # Of one day, the later one in the list is the later verdict.
    for proof in sorted(reversed(own), key=lambda p: p.decided_on, reverse=True):
        gone = void(proof, pipeline, stage, candidate)
        if not gone and proof.verdict == "KEEP":
            return None, f"its verdict of {proof.decided_on} is KEEP"
        if not gone:
            return proof, ""
        why = why or f"its verdict of {proof.decided_on} is void: {gone}"
    return None, why


def void(proof: Proof, pipeline: Pipeline, stage: Stage, candidate: Candidate) -> str:
    """Why a verdict does not hold for the stage and model as they stand; empty where it does."""
    if proof.prompt_digest != prompt_digest(pipeline, stage):
        return "the prompt has changed since"
    if proof.current and proof.current not in (stage.before, stage.before.rpartition("/")[2]):
        return f"it was against {proof.current}, and the stage runs on {stage.before}"
    if proof.model_id != candidate.model.id:
        return f"it was for {proof.model_id}, and the model is now {candidate.model.id}"
    if proof.verdict == "CUT OVER" and proof.margin is not None and proof.margin > stage.margin + 1e-9:
        return f"it was for a margin of {proof.margin:.1%}, and the margin is now {stage.margin:.1%}"
    return "" if proof.version == pipeline.version else f"it was for version {proof.version} of the agent"
