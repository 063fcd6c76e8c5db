"""Tokens of every prompt of a whole log, without building one.

A prompt is fixed text with slots. Its fixed lines are counted once; only the lines that hold a ticket's own words are counted
for each ticket, and passages once for each article. The parts add up exactly where a line begins after a line break with
something that is neither blank nor a slash: o200k_base never joins what stands on either side (its pattern takes line breaks
and slashes along with what is before them, and nothing takes a line break along with what is after it).

What only a model could say is assumed and stated: an earlier output has its stage's typical length, the kind of ticket is the
first label, nothing is found by the check, and the passages kept are the first that the search returns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground import tokens
from playground.knowledge import HelpCentre
from playground.log_tickets import LogTickets
from playground.pipeline import Pipeline, Stage
from playground.prompts import passage_block, stable_values, system_message
from playground.records import Policy
from playground.templates import fill, variables

Counts = NDArray[np.int64]
OF_A_TICKET = ("ticket", "subject", "customer")
_SAFE = re.compile(r"(?<=\n)(?=[^\s/{])")


@dataclass(frozen=True, slots=True)
class StageShape:
    """A stage's prompt: tokens that never change, the lines that hold a ticket's words, and the text around its passages."""

    constant: int
    lines: tuple[str, ...]
    around_passages: tuple[str, str] | None


def shape_of(stage: Stage, pipeline: Pipeline, policies: tuple[Policy, ...]) -> StageShape:
    """Take a stage's prompt apart."""
    user = fill_known(stage.prompt.user, pipeline, policies)
    constant = tokens.count_messages((system_message(stage.prompt.system, pipeline.labels, policies),))
    constant += tokens.count("user") + tokens.MESSAGE_TOKENS
    lines, around = [], None
    for line in split(user):
        slots = variables(line)
        if "passages" in slots:
            around = _sides(line, "passages")
        elif slots & set(OF_A_TICKET):
            lines.append(line)
        else:
            constant += tokens.count(line)
    return StageShape(constant + assumed_tokens(stage, pipeline), tuple(lines), around)


def prefix_tokens(stage: Stage, pipeline: Pipeline, policies: tuple[Policy, ...]) -> int:
    """Tokens of a stage's prompt that are the same for every ticket and stand first: its system message."""
    return tokens.count_fixed(system_message(stage.prompt.system, pipeline.labels, policies).content)


def split(text: str) -> list[str]:
    """The text in parts whose tokens add up to the whole's."""
    return _SAFE.split(text)


def fill_known(user: str, pipeline: Pipeline, policies: tuple[Policy, ...]) -> str:
    """A user message with all but the ticket's own words and its passages filled in; earlier outputs are left out."""
    known = {
        **stable_values(pipeline.labels, policies),
        "intent": next(iter(pipeline.labels)),
        "findings": "(none)",
        "open_questions": "(none)",
        "draft": "",
        "reply": "",
    }
    left = {name: "{{ " + name + " }}" for name in (*OF_A_TICKET, "passages")}
    return fill(user, {**known, **left})


def assumed_tokens(stage: Stage, pipeline: Pipeline) -> int:
    """Tokens that earlier outputs are assumed to bring into a stage's prompt."""
    asked = variables(stage.prompt.user)
    typical = {"draft": "draft", "reply": "respond"}
    return sum(pipeline.stage(key).typical_output_tokens for slot, key in typical.items() if slot in asked)


def count_inputs(
    tickets: LogTickets, pipeline: Pipeline, help_centre: HelpCentre, policies: tuple[Policy, ...]
) -> dict[str, Counts]:
    """Input tokens of every call, by stage, shaped (tickets, calls)."""
    shapes = {s.key: shape_of(s, pipeline, policies) for s in pipeline.stages}
    own = dict.fromkeys(line for shape in shapes.values() for line in shape.lines)
    lines = {line: _count_line(line, tickets) for line in own}
    wants = any(shape.around_passages for shape in shapes.values())
    order = help_centre.rank(_queries(tickets), pipeline.retrieve) if wants else None
    n = len(tickets.ids)
    return {s.key: _stage_inputs(s, shapes[s.key], lines, order, pipeline, help_centre, n) for s in pipeline.stages}


def _stage_inputs(
    stage: Stage,
    shape: StageShape,
    lines: Mapping[str, Counts],
    order: NDArray[np.int32] | None,
    pipeline: Pipeline,
    help_centre: HelpCentre,
    tickets: int,
) -> Counts:
    own = np.full(tickets, shape.constant, np.int64) + sum(lines[line] for line in shape.lines)
    if shape.around_passages is None or order is None:
        return np.stack([own] * stage.calls, axis=1)
    shown = order if stage.key == "rerank" else order[:, : pipeline.keep]
    counted = _passage_counter(shape.around_passages, help_centre)
    return np.stack([own + counted(shown[:, call :: stage.calls]) for call in range(stage.calls)], axis=1)


def _passage_counter(around: tuple[str, str], help_centre: HelpCentre) -> Callable[[NDArray[np.int32]], Counts]:
    """Tokens of the passages of each row of article numbers, with the text around them."""
    before, after = around
    blocks = [passage_block(a.id, a.title, a.text) for a in help_centre.articles]
    inner = np.array([tokens.count_fixed(f"{block}\n\n") for block in blocks], np.int64)
    last = np.array([tokens.count_fixed(f"{block}{after}") for block in blocks], np.int64)
    empty, opening = tokens.count(before + after), tokens.count(before)

    def count(shown: NDArray[np.int32]) -> Counts:
        if not shown.shape[1]:
            return np.full(len(shown), empty, np.int64)
        return np.asarray(opening + inner[shown[:, :-1]].sum(axis=1) + last[shown[:, -1]])

    return count


def _count_line(line: str, tickets: LogTickets) -> Counts:
    slots = sorted(variables(line))
    if line.count("{{") == 1:
        before, after = _sides(line, slots[0])
        values = tickets.column(slots[0])
        if slots[0] == "ticket":
            return _count_between(before, values, after)
        # Subjects and customers repeat, and most logs have many tickets without either.
        known = list(dict.fromkeys(values))
        counted = dict(zip(known, _count_between(before, known, after).tolist(), strict=True))
        return np.fromiter(map(counted.__getitem__, values), np.int64, len(values))
    columns = [tickets.column(slot) for slot in slots]
    return np.array(
        [tokens.count(fill(line, dict(zip(slots, v, strict=True)))) for v in zip(*columns, strict=True)], np.int64
    )


def _count_between(before: str, values: Sequence[str], after: str) -> Counts:
    """Tokens of each value with what stands before and after it; a line before it is counted once."""
    if not before.endswith("\n"):
        return tokens.count_many([f"{before}{v}{after}" for v in values])
    apart = list(map(tokens.is_safe_start, values))
    found = tokens.count_many(
        [f"{v}{after}" if a else f"{before}{v}{after}" for v, a in zip(values, apart, strict=True)]
    )
    return np.asarray(found + np.array(apart, np.int64) * tokens.count(before), np.int64)


def _sides(line: str, slot: str) -> tuple[str, str]:
    """What stands before and after a slot that a line holds once."""
    before, _, after = fill(line, {name: "\x00" for name in variables(line)}).partition("\x00")
    return before, after


def _queries(tickets: LogTickets) -> list[str]:
    return [f"{s} {t}" for s, t in zip(tickets.subjects, tickets.texts, strict=True)]
