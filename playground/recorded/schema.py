"""A recorded run as a JSON file: version 1.

Candidates stand as names such as `gpt-5.5 @low` and are found in `models`; evidence is listed once and named by its place in the
list. Money is a decimal string in USD, `null` where a part has no price. Times are in UTC.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from playground.json_file import Format
from playground.options import Settings
from playground.records import (
    Assurance,
    Bar,
    Cue,
    EvidenceRow,
    Handover,
    Model,
    Output,
    Passage,
    Plan,
    Prompt,
    Proof,
    ReasonCode,
    Receipt,
    StepState,
    Ticket,
    Verdict,
)

FORMAT = Format("ticket-playground recorded run", "a recorded run", 1, 25_000_000, {})
Origin = Literal["live", "rehearsal"]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class QualityFile(_Closed):
    """What was known of a candidate. `results` are places in the file's `evidence`; `sure` is how sure it was of the bar."""

    estimate: float | None
    low: float | None
    high: float | None
    worth: float
    results: tuple[int, ...] = ()
    enough: bool
    pairs: int = 0
    proven: bool = False
    sure: float | None = None


class ConsideredFile(_Closed):
    """A candidate as the router saw it."""

    candidate: str
    quality: QualityFile
    cost_usd: Decimal | None
    expected_cost_usd: Decimal | None
    code: ReasonCode
    reason: str


class DecisionFile(_Closed):
    """Which candidate a stage used, and why."""

    plan: Plan
    assurance: Assurance
    chosen: str
    ladder: tuple[str, ...]
    considered: tuple[ConsideredFile, ...]
    bar: Bar
    code: ReasonCode
    reason: str
    flip: str = ""
    fallback: str | None = None
    cues: tuple[Cue, ...] = ()
    spent_usd: Decimal


class AttemptFile(_Closed):
    """One try at one candidate."""

    candidate: str
    text: str
    verdict: Verdict
    receipt: Receipt
    output: Output | None = None
    error: str | None = None


class BilledFile(_Closed):
    """A receipt beside the ticket's own, and the candidate whose price it was billed at."""

    candidate: str
    receipt: Receipt


class SecondFile(_Closed):
    """What the next tier up made of a stage. It was not served, and stands in none of the ticket's sums."""

    candidate: str
    probability: Annotated[float, Field(gt=0, le=1)]
    disagrees: bool | None
    note: str = ""
    receipts: tuple[BilledFile, ...] = ()


class StepFile(_Closed):
    """One stage as it ran."""

    stage: str
    state: StepState
    decision: DecisionFile
    prompts: tuple[Prompt, ...]
    attempts: tuple[AttemptFile, ...]
    output: Output | None
    passages: tuple[Passage, ...] = ()
    message: str = ""
    handover: Handover | None = None
    second: SecondFile | None = None
    """Only where it was asked for."""


class RecordingFile(_Closed):
    """The whole file. `pipeline` is the agent's own file; `digest` is of everything else, so that an edit shows."""

    format: str
    schema_version: int
    app_version: str
    made_at: AwareDatetime
    origin: Origin
    price_date: date
    without_personal_data: bool = False
    plan: Plan
    ticket: Ticket
    pipeline: dict[str, Any]
    settings: Settings
    proofs: tuple[Proof, ...] = ()
    models: tuple[Model, ...]
    catalog: int
    """How many of `models`, from the first, the router could choose from."""
    evidence: tuple[EvidenceRow, ...] = ()
    steps: tuple[StepFile, ...]
    digest: str = ""
