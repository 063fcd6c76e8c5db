"""What a session's set-up is, and how it stands in a file: version 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from playground.evidence_file import OwnEvidence
from playground.forecast import Assumptions
from playground.json_file import Format
from playground.options import Settings
from playground.pipeline import Pipeline, PromptTemplate
from playground.records import Assurance, Model, Plan, Ticket
from playground.runtime import Runtime

FORMAT = Format("ticket-playground set-up", "a set-up", 1, 20_000_000, {})
RANGES: Mapping[str, tuple[float, float]] = {
    "bar_shift": (-0.15, 0.10), "bars": (0.5, 1.0), "margins": (0.0, 0.10), "tickets_per_month": (1, 10_000_000),
    "again_share": (0, 1), "again_rounds": (0, 20), "escalation_share": (0, 1), "human_cost_usd": (0, 1000),
    "fixed_cost_usd": (0, 10_000_000), "growth_share": (-0.5, 1), "retry_share": (0, 1), "bill_usd": (0, 100_000_000),
}  # fmt: skip
"""What the controls allow."""
ASSUMED = tuple(name for name in RANGES if name in Assumptions.__slots__)
Mode = Literal["Rehearsal", "Live"]


@dataclass(frozen=True, slots=True)
class SetUp:
    """Everything that was set. `flow` is the agent without this session's edits; `providers` of `None` means all.

    `rehearsed` are the cells of `own.pairs` that were rehearsed; `rubric` is the judge's, where it was edited.
    """

    flow: Pipeline
    plan: Plan = "kr-auto"
    mode: Mode = "Rehearsal"
    assurance: Assurance = "estimated"
    bar_shift: float = 0.0
    providers: frozenset[str] | None = None
    limits: Settings = field(default_factory=Settings)
    pins: Mapping[str, str] = field(default_factory=dict)
    bars: Mapping[str, float] = field(default_factory=dict)
    margins: Mapping[str, float] = field(default_factory=dict)
    edits: Mapping[str, PromptTemplate] = field(default_factory=dict)
    runtime: Runtime | None = None
    own: OwnEvidence = field(default_factory=OwnEvidence)
    rehearsed: frozenset[tuple[str, str]] = frozenset()
    month: Assumptions = field(default_factory=Assumptions)
    models: tuple[Model, ...] = ()
    """Models of one's own."""
    rubric: str | None = None
    ticket: Ticket | None = None


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class KnobsFile(_Closed):
    """The sidebar."""

    plan: Plan
    mode: Mode
    assurance: Assurance
    bar_shift: float
    providers: list[str] | None


class LimitsFile(_Closed):
    """What the router may use and spend."""

    never: list[str]
    preferred: list[str]
    efforts: list[str] | None
    min_days_to_retirement: int
    call_budget_usd: str | None
    ticket_budget_usd: str | None
    raise_bars: bool


class PromptFile(_Closed):
    """An edited prompt."""

    system: str
    user: str


Line = dict[str, str | int | float | bool | None]


class SetUpFile(_Closed):
    """The whole file. `pipeline` is the name of an agent that comes with the app, or an agent's own file."""

    format: str
    schema_version: int
    app_version: str
    made_at: AwareDatetime
    pipeline: str | dict[str, Any]
    knobs: KnobsFile
    limits: LimitsFile
    pins: dict[str, str] = {}
    bars: dict[str, float] = {}
    margins: dict[str, float] = {}
    edits: dict[str, PromptFile] = {}
    runtime: dict[str, Any] | None = None
    results: list[Line] = []
    shadow_pairs: list[Line] = []
    verdicts: list[Line] = []
    month: dict[str, Any] = {}
    models: list[Model] = []
    rubric: str | None = None
    ticket: Ticket | None = None
