"""What is known of a candidate, and which one a stage uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from playground.records.model import Candidate
from playground.records.words import Assurance, Effort, Plan, Provenance, ReasonCode


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One published result, carried with its source."""

    stage: str
    model: str
    effort: Effort
    benchmark: str
    metric: str
    value: float
    unit: str
    n: int | None
    grade: str
    proxy_for: str
    date: str
    source: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Shadow pairs of a candidate at a stage: on how many of `pairs` tickets its output was accepted."""

    accepted: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A shadow evaluation's verdict: a candidate may take a stage over from `current`, or must not (`KEEP`).

    It holds for the model, pipeline and prompt that it was recorded for; `model_id` is litellm's name, revision included.
    """

    stage: str
    candidate: str
    model_id: str
    pipeline: str
    version: str
    prompt_digest: str
    pairs: int
    decided_on: date
    provenance: Provenance
    verdict: Literal["CUT OVER", "KEEP"] = "CUT OVER"
    current: str = ""
    margin: float | None = None
    """How much worse it was allowed to be; `None` where that was not written down."""
    unit: str = "ticket"
    judge: str = ""
    """Who judged and by which rubric; empty where outputs were compared without a judge."""
    labels: int = 0
    """Pairs that people labelled."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What is known of a candidate at a stage, on one scale from 0 to 1. `worth` is in tickets; low and high bound 80%."""

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    worth: float = 0.0
    rows: tuple[EvidenceRow, ...] = ()
    """The model's own public results at this stage that count at this effort."""
    enough: bool = False
    """Whether a candidate may be chosen by it."""
    pairs: int = 0
    """Shadow pairs among its worth."""
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Cue:
    """Something about a ticket that asks for care; `sentence` follows "the ticket", `raise_by` is added to the stages' bars."""

    name: str
    sentence: str
    raise_by: float
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """The lowest quality a stage accepts; `raised_by` says why it stands above the pipeline's own bar."""

    value: float
    base: float
    raised_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Considered:
    """One candidate as the router saw it. Costs are of the whole stage: every call of it."""

    candidate: Candidate
    quality: Quality
    cost_usd: Decimal | None
    expected_cost_usd: Decimal | None
    """`cost_usd` plus the expected cost of climbing when an output fails its check."""
    code: ReasonCode
    reason: str

    @property
    def passes(self) -> bool:
        """Whether it may be picked."""
        return self.code in ("chosen", "pinned", "dearer", "before", "tier")


@dataclass(frozen=True, slots=True)
class Decision:
    """Which candidate a stage uses, every candidate considered, and why."""

    stage: str
    plan: Plan
    assurance: Assurance
    chosen: Candidate
    ladder: tuple[Candidate, ...]
    """The chosen candidate, then what it climbs to when an output is bad."""
    considered: tuple[Considered, ...]
    bar: Bar
    code: ReasonCode
    reason: str
    flip: str = ""
    """What would have to change for another candidate to win."""
    fallback: Candidate | None = None
    cues: tuple[Cue, ...] = ()
    """Everything about the ticket that asks for care, also where it raises no bar of this stage."""
    spent_usd: Decimal = Decimal(0)
    """What the stages before had cost when this was decided; a budget for the ticket counts it."""
