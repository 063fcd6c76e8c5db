"""Outputs as the scores read them: parsed, of the shape their stage asks for, or `None` where they cannot be used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.checks import parse_json
from playground.pipeline import Stage
from playground.prompts import as_text
from playground.records import Context, Output

Json = Mapping[str, Any]


def usable(stage: Stage, output: Output | None) -> Output | None:
    """The output where it has the kind and the schema of its stage; JSON may also come as text."""
    if stage.output.kind == "text":
        return output.strip() or None if isinstance(output, str) else None
    if output is None:
        return None
    try:
        text = output if isinstance(output, str) else json.dumps(output)
    except (TypeError, ValueError, RecursionError):
        return None
    return parse_json(text, stage.output.schema)[0]


def shown(output: Output | None) -> str:
    """What a reader judges: text as it is, a draft as its answer and what it leaves open, other JSON as it is.

    A model's own confidence is left out, because it says nothing about the answer and sways a judge.
    """
    if not isinstance(output, Mapping | str):
        return ""
    if isinstance(output, str) or not isinstance(output.get("answer"), str):
        return as_text(output).strip()
    is_open = output.get("open_questions")
    left = [f"- {q}" for q in is_open] if isinstance(is_open, list | tuple) else []
    return "\n".join([output["answer"].strip(), *(["", "Left to a person:", *left] if left else [])])


def read_label(context: Context, output: Output) -> str | None:
    """The label of an intent; `None` where it is missing or not one of the pipeline's."""
    label = output.get("label") if isinstance(output, Mapping) else None
    known = isinstance(label, str) and (not context.labels or label in context.labels)
    return label if known else None


def read_ranking(context: Context, output: Output) -> tuple[str, ...] | None:
    """Passage ids from best to worst; among equals the order of retrieval holds, as it does for later stages."""
    scores = _scores(output)
    if scores is None or (context.passages and not scores):
        return None
    place = {p.id: i for i, p in enumerate(context.passages)}
    return tuple(sorted(scores, key=lambda i: (-scores[i], place.get(i, len(place)))))


def _scores(output: Output) -> dict[str, float] | None:
    entries = output.get("scores") if isinstance(output, Mapping) else None
    if not isinstance(entries, list):
        return None
    try:
        return {_text(e["id"]): float(e["score"]) for e in entries}
    except (TypeError, KeyError, ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def read_policies(context: Context, output: Output) -> frozenset[str] | None:
    """The ids of the policies that a check finds broken."""
    found = output.get("findings") if isinstance(output, Mapping) else None
    if not isinstance(found, list):
        return None
    try:
        return frozenset(_text(f["policy"]) for f in found)
    except (TypeError, KeyError):
        return None
