"""Two runs cell by cell: model, reason, tokens, cost, latency and output. Their money is set side by side, never added up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from playground.loop import climb_line
from playground.money import Total
from playground.records import Step, Trace

FIELDS: Mapping[str, str] = {
    "model": "model", "answered_by": "who answered", "reason": "reason", "state": "result", "input_tokens": "tokens in",
    "output_tokens": "tokens out", "cost": "cost", "latency_s": "latency", "output": "output",
}  # fmt: skip
"""What can differ in a cell, and how it is called."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One stage of one run. `latency_s` is the longest of its attempts; `None` where it was rehearsed."""

    model: str
    answered_by: tuple[str, ...]
    """Every candidate that was tried, in order."""
    reason: str
    state: str
    input_tokens: int
    output_tokens: int
    cost: Total
    latency_s: float | None
    output: str


@dataclass(frozen=True, slots=True)
class CellPair:
    """A stage in two runs; a side is `None` where the stage did not run. `differs` names what is not the same."""

    stage: str
    first: Cell | None
    second: Cell | None

    @property
    def differs(self) -> tuple[str, ...]:
        """The fields of a cell that are not the same; all that matter less than the model come after it."""
        if self.first is None or self.second is None:
            return () if self.first is self.second else ("state",)
        return tuple(f.name for f in fields(Cell) if getattr(self.first, f.name) != getattr(self.second, f.name))


@dataclass(frozen=True, slots=True)
class Sum:
    """One run in sum. `latency_s` is the sum of its stages' latencies; `None` where it was rehearsed."""

    cost: Total
    input_tokens: int
    output_tokens: int
    attempts: int
    latency_s: float | None


def cell_pairs(first: Trace, second: Trace) -> tuple[CellPair, ...]:
    """Every stage of either run, in order; those that differ first."""
    order = dict.fromkeys([*(s.stage for s in first.steps), *(s.stage for s in second.steps)])
    found = [CellPair(stage, _cell(first.step(stage)), _cell(second.step(stage))) for stage in order]
    return tuple(sorted(found, key=lambda pair: not pair.differs))


def sum_of(trace: Trace) -> Sum:
    """A run in sum."""
    used = trace.receipts
    times = [t for s in trace.steps if (t := _latency(s)) is not None]
    return Sum(
        Total.of(r.cost_usd for r in used),
        sum(r.usage.input_tokens for r in used),
        sum(r.usage.output_tokens for r in used),
        len(used),
        sum(times) if times else None,
    )


def _cell(step: Step | None) -> Cell | None:
    if step is None:
        return None
    return Cell(
        model=step.decision.chosen.key,
        answered_by=tuple(dict.fromkeys(a.candidate.key for a in step.asked)),
        reason=step.decision.reason + climb_line(step),
        state="handed over" if step.handover is not None else step.state,
        input_tokens=sum(r.usage.input_tokens for r in step.receipts),
        output_tokens=sum(r.usage.output_tokens for r in step.receipts),
        cost=Total.of(r.cost_usd for r in step.receipts),
        latency_s=_latency(step),
        output=output_text(step),
    )


def _latency(step: Step) -> float | None:
    return max((r.latency_s for r in step.receipts if r.latency_s is not None), default=None)


def output_text(step: Step) -> str:
    """A stage's output to be read; what arrived where nothing was usable."""
    if step.output is None:
        return "\n\n".join(a.text for a in step.attempts if a.text)
    if isinstance(step.output, str):
        return step.output
    return "\n".join(f"{key}: {_part(value)}" for key, value in step.output.items())


def _part(value: object) -> str:
    """A part of an output; an answer inside it keeps its lines."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def said(names: Iterable[str]) -> str:
    """What differs, in words."""
    found = tuple(names)
    # Another model is another who answered: that is said once.
    return ", ".join(FIELDS[name] for name in found if name != "answered_by" or "model" not in found)
