"""How long answers are: an agent whose typical lengths are those of tickets that ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from math import ceil

from playground.pipeline import Pipeline
from playground.records import Trace


def observed(traces: Sequence[Trace]) -> dict[str, Decimal]:
    """Stage to the visible output tokens of an accepted call, on average; stages that no trace reached are left out.

    Thinking is not counted: it is another model's at another effort.
    """
    found: dict[str, list[int]] = {}
    for trace in traces:
        for step in trace.steps:
            tokens = [a.receipt.usage.visible_tokens for a in step.attempts if a.output is not None]
            found.setdefault(step.stage, []).extend(tokens)
    return {stage: Decimal(sum(tokens)) / len(tokens) for stage, tokens in found.items() if tokens}


def with_lengths(flow: Pipeline, lengths: Mapping[str, Decimal]) -> Pipeline:
    """The same agent with these typical output tokens, rounded up; a stage without one keeps its own."""
    for stage in flow.stages:
        if stage.key in lengths:
            flow = flow.with_stage(replace(stage, typical_output_tokens=ceil(lengths[stage.key])))
    return flow
