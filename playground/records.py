"""Every value that travels through the engine. Frozen, and importing nothing of ours.

Road: Ticket -> Prompt -> Decision -> Request -> Completion -> Verdict + Receipt -> Attempt -> Step -> Trace.
Money is `Decimal` in USD; `None` means unpriced, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

Plan = Literal["before", "stratified", "kr-auto"]
PLANS: tuple[Plan, ...] = ("before", "stratified", "kr-auto")
Provenance = Literal["rehearsal", "live", "recorded"]
Assurance = Literal["estimated", "proven"]
ASSURANCES: tuple[Assurance, ...] = ("estimated", "proven")
Effort = Literal["default", "none", "minimal", "low", "medium", "high", "xhigh", "max"]
Counted = Literal["provider", "tokenizer", "estimate"]
Outcome = Literal["ok", "rejected", "failed", "cancelled"]
StepState = Literal["done", "failed", "cancelled"]
ReasonCode = Literal[
    "chosen", "pinned", "before", "tier", "dearer", "below_bar", "no_evidence", "too_long", "over_budget",
    "provider_off", "retired", "unpriced", "never",
]  # fmt: skip
Output = Mapping[str, Any] | str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a ticket's thread; `role` is `customer` or `agent`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """One customer request."""

    id: str
    text: str
    subject: str = ""
    customer_id: str | None = None
    created_at: datetime | None = None
    turns: tuple[Turn, ...] = ()
    lang: str | None = None
    notes: tuple[str, ...] = ()
    """What was cleaned on the way in, one sentence each, to be shown."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A help-centre article retrieved for a ticket; `score` is BM25 for retrieval, 0..10 after re-ranking."""

    id: str
    title: str
    text: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """One support policy; the cue and phrase lists let a rule check a reply without a model."""

    id: str
    title: str
    text: str
    cues: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    add: Mapping[str, str] = field(default_factory=dict)
    """Language code to the sentence that satisfies `needs`."""
    escalate: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message; `role` is `system` or `user`."""

    role: Literal["system", "user"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages of one call. `prefix_tokens` of `input_tokens` are the same for every ticket (the system message)."""

    stage: str
    call: int
    messages: tuple[Message, ...]
    input_tokens: int
    prefix_tokens: int
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `input_tokens` includes cached ones and `output_tokens` includes reasoning, as OpenAI reports."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    counted: Counted = "estimate"

    @property
    def fresh_tokens(self) -> int:
        """Input tokens that were neither read from nor written to a cache."""
        return self.input_tokens - self.cache_read_tokens - self.cache_write_tokens

    @property
    def visible_tokens(self) -> int:
        """Output tokens that are text, not reasoning."""
        return self.output_tokens - self.reasoning_tokens


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per million tokens; `None` is unpriced. `reasoning` falls back to `output`, the cache rates to `input`."""

    input_usd_per_mtok: Decimal | None
    output_usd_per_mtok: Decimal | None
    cache_read_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    reasoning_usd_per_mtok: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """A model's rates; `tiers` are (input tokens above which the whole request is repriced, rates), rising."""

    rates: Rates
    as_of: date
    source: str
    tiers: tuple[tuple[int, Rates], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A catalogue entry. `id` is litellm's name; `endpoint` names the connection that serves it."""

    id: str
    name: str
    provider: str
    price: Price | None
    context_tokens: int | None
    max_output_tokens: int | None
    retires_on: date | None = None
    prompt_cache_min_tokens: int | None = None
    default_effort: Effort = "none"
    """What this model does when no effort is asked for."""
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model at a reasoning effort."""

    model: Model
    effort: Effort = "default"

    @property
    def key(self) -> str:
        """Unique name: `model` or `model @effort`."""
        return self.model.name if self.effort == "default" else f"{self.model.name} @{self.effort}"


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
    """A shadow evaluation's verdict that a candidate may take a stage over.

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


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """What a stage's output must be: text, or JSON with a schema; `checks` name further rules."""

    kind: Literal["text", "json"]
    schema: Mapping[str, Any] | None = None
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a stage works on: the rehearsal reads it in place of a prompt, and the checks compare an output with it."""

    ticket: Ticket
    labels: Mapping[str, str]
    policies: tuple[Policy, ...]
    passages: tuple[Passage, ...] = ()
    earlier: Mapping[str, Output] = field(default_factory=dict)
    """Stage key to its accepted output."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call to one candidate."""

    candidate: Candidate
    prompt: Prompt
    output: OutputSpec
    max_output_tokens: int
    typical_output_tokens: int
    context: Context
    quality: float | None = None
    """Estimated quality; only the rehearsal uses it."""
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Completion:
    """What a call returned. `latency_s` and `first_token_s` are `None` when no model was called."""

    text: str
    usage: Usage
    provenance: Provenance
    latency_s: float | None = None
    first_token_s: float | None = None
    finish_reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an output may be used; `findings` are sentences."""

    ok: bool
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one attempt used and cost."""

    ticket_id: str
    pipeline: str
    plan: Plan
    stage: str
    call: int
    attempt: int
    model: str
    provider: str
    effort: Effort
    usage: Usage
    cost_usd: Decimal | None
    price_as_of: date | None
    provenance: Provenance
    outcome: Outcome
    latency_s: float | None = None
    first_token_s: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one candidate; `output` is the parsed output of an accepted one."""

    candidate: Candidate
    text: str
    verdict: Verdict
    receipt: Receipt
    output: Output | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One stage run for one ticket. `attempts` holds every try of every call, in call order."""

    stage: str
    state: StepState
    decision: Decision
    prompts: tuple[Prompt, ...]
    attempts: tuple[Attempt, ...]
    output: Output | None
    passages: tuple[Passage, ...] = ()
    message: str = ""

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Every attempt's receipt, failed ones included."""
        return tuple(a.receipt for a in self.attempts)


@dataclass(frozen=True, slots=True)
class Trace:
    """One ticket's steps under one plan; totals are derived, never stored."""

    ticket: Ticket
    pipeline: str
    plan: Plan
    provenance: Provenance
    steps: tuple[Step, ...] = ()

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Every receipt of every step."""
        return tuple(r for s in self.steps for r in s.receipts)

    def step(self, stage: str) -> Step | None:
        """The step of a stage, or `None` if it has not run."""
        return next((s for s in self.steps if s.stage == stage), None)
