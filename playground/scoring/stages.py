"""The score of a pair of outputs of one stage, where no model is needed to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from playground.errors import BadInput
from playground.pipeline import Stage
from playground.records import Context, Output
from playground.scoring.agreement import rank_agreement, set_agreement
from playground.scoring.reading import read_label, read_policies, read_ranking, shown, usable
from playground.scoring.scores import Lengths, Score, agreement, compared, failed, tie
from playground.scoring.summaries import note_of

JUDGED = ("draft", "respond")
"""Stages whose outputs only a judge can compare."""
KEEP = 8
"""Passages that the shipped pipelines keep after re-ranking."""


@dataclass(frozen=True, slots=True)
class _Method:
    """How a stage is read, and how two readings are compared."""

    read: Callable[[Context, Output], Any]
    compare: Callable[[Context, Any, Any, Lengths], Score]


def score(
    stage: Stage,
    context: Context,
    current: Output | None,
    candidate: Output | None,
    truth: str | None = None,
    keep: int = KEEP,
) -> Score:
    """Score a pair. `truth` is a ticket's true label, `keep` how many passages survive re-ranking.

    Raises `BadInput` for a pair that needs a judge, for a true label that is none of the pipeline's, and for a stage of an
    unknown kind.
    """
    lengths = (len(shown(current)), len(shown(candidate)))
    outputs = [usable(stage, output) for output in (current, candidate)]
    given = [output for output in outputs if output is not None]
    if not given:
        return failed(False, False, lengths)
    method = _method(stage, given[0], truth, keep)
    one, two = (None if output is None else method.read(context, output) for output in outputs)
    if one is None or two is None:
        return failed(one is not None, two is not None, lengths)
    return method.compare(context, one, two, lengths)


def _method(stage: Stage, output: Output, truth: str | None, keep: int) -> _Method:
    known = {
        "intent": _Method(read_label, partial(_labels, truth)),
        "rerank": _Method(read_ranking, partial(_rankings, keep)),
        "check": _Method(read_policies, _findings),
        "summarise": _Method(_text, _notes),
    }
    if stage.key in known:
        return known[stage.key]
    if stage.key in JUDGED:
        return _Method(lambda context, given: given, partial(_same_or_judged, stage.key))
    return known[_kind(stage, output)]


def _kind(stage: Stage, output: Output) -> str:
    """The stage whose outputs look like this one's. Raises `BadInput`."""
    if isinstance(output, str):
        return "summarise"
    fields = {"label": "intent", "scores": "rerank", "findings": "check"}
    found = [kind for field, kind in fields.items() if field in output]
    if len(found) != 1:
        raise BadInput(
            f"Stage {stage.key}: its JSON has the fields {', '.join(map(str, output)) or '(none)'}. "
            f"Without a judge only outputs with one of {', '.join(fields)} can be compared; use a judge."
        )
    return found[0]


def _text(context: Context, output: Output) -> str | None:
    return output if isinstance(output, str) else None


def _labels(truth: str | None, context: Context, one: str, two: str, lengths: Lengths) -> Score:
    if truth is None:
        note = f"Both say {one}." if one == two else f"The current model says {one}, the candidate {two}."
        return agreement(float(one == two), "label agreement", note, lengths)
    if context.labels and truth not in context.labels:
        raise BadInput(
            f"Ticket {context.ticket.id}: its true label {truth!r} is not one of the pipeline's labels "
            f"({', '.join(context.labels)}). Correct the label or leave it out."
        )
    note = f"The true label is {truth}; the current model says {one}, the candidate {two}."
    return compared(float(one == truth), float(two == truth), "accuracy", note, lengths)


def _rankings(keep: int, context: Context, one: tuple[str, ...], two: tuple[str, ...], lengths: Lengths) -> Score:
    common = len({*one[:keep]} & {*two[:keep]})
    note = f"{common} of the top {min(keep, max(len(one), len(two)))} passages are the same."
    return agreement(rank_agreement(one, two, keep), "rank agreement", note, lengths)


def _findings(context: Context, one: frozenset[str], two: frozenset[str], lengths: Lengths) -> Score:
    missed, added = (", ".join(sorted(ids)) for ids in (one - two, two - one))
    said = [f"misses {missed}"] * bool(missed) + [f"adds {added}"] * bool(added)
    note = f"The candidate {' and '.join(said)}." if said else f"Both find {', '.join(sorted(one)) or 'nothing'}."
    return agreement(set_agreement(one, two), "findings agreement", note, lengths)


def _notes(context: Context, one: str, two: str, lengths: Lengths) -> Score:
    first, second = note_of(context, one), note_of(context, two)
    note = f"Current: {first}. Candidate: {second}."
    return compared(first.worth, second.worth, "faithfulness and coverage", note, lengths)


def same_text(current: Output, candidate: Output) -> bool:
    """Whether a judge would read the same text twice."""
    return shown(current) == shown(candidate)


def _same_or_judged(key: str, context: Context, one: Output, two: Output, lengths: Lengths) -> Score:
    if not same_text(one, two):
        raise BadInput(f"Stage {key}: two answers can only be compared by a judge. Choose one, or label pairs by hand.")
    return tie("judge", "Both answers are the same, so no judge was asked.", lengths)
