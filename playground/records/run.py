"""One call, one try, one stage, one ticket. Totals are derived, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from playground.records.decision import Decision
from playground.records.model import Candidate, Usage
from playground.records.ticket import Passage, Policy, Prompt, Ticket
from playground.records.words import (
    CLIMBED,
    EMBEDDED,
    Effort,
    FailureKind,
    Outcome,
    Output,
    Plan,
    Provenance,
    Source,
    StepState,
)


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """What a call's output must be: text, JSON with a schema, or a vector for each message; `checks` name further rules."""

    kind: Literal["text", "json", "vector"]
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
    rungs: tuple[Candidate, ...] = ()
    """Whom the stage would climb to; failover asks them after its equivalents, by the same rule."""
    rejected: tuple[Candidate, ...] = ()
    """Whose answers to this call did not pass; failover does not ask them again."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a call returned. `latency_s` and `first_token_s` are `None` when it was rehearsed.

    `candidate` answered in place of the one that was asked, by `rule`. The `tries` before it failed, or embedded the ticket for the
    semantic cache. An answer out of a cache has the provenance of the call that was answered then, `usage` of nothing, and that
    call's usage in `saved`.
    """

    text: str
    usage: Usage
    provenance: Provenance
    latency_s: float | None = None
    first_token_s: float | None = None
    finish_reason: str = "stop"
    source: Source = "model"
    candidate: Candidate | None = None
    rule: str = ""
    tries: tuple[Try, ...] = ()
    saved: Usage | None = None
    vectors: tuple[tuple[float, ...], ...] = ()
    """One for each message of a call for vectors; empty for any other."""


@dataclass(frozen=True, slots=True)
class Try:
    """What was asked inside one call, before its answer: a candidate that failed, or what the answer needed first.

    It is billed: `partial` is what had arrived. A `kind` of `None` is a try that worked.
    """

    candidate: Candidate
    kind: FailureKind | None
    message: str
    partial: Completion | None = None
    rule: str = ""
    """Why this candidate was asked, where it was not the one that the router chose."""
    latency_s: float | None = None
    """From asking to the failure."""
    waited_s: float = 0.0
    """What passed between this failure and the next try. Both together are what the failure added to the call's latency."""


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
    failure: FailureKind | None = None
    """How a failed attempt failed."""
    source: Source = "model"
    rule: str = ""
    """Which rule allowed another candidate than the one that was chosen; empty where that one was asked."""
    waited_s: float = 0.0
    """What passed between a failed attempt and the next one."""
    saved: Usage | None = None
    """What the call used that a cached answer comes from; `None` where a model answered."""
    saved_usd: Decimal | None = None
    """That usage at today's price: what the cache saved. `None` where nothing was saved, or the model has no price."""

    @property
    def embedded(self) -> bool:
        """Whether it is of an embedding, which answers nobody: it told the semantic cache what a ticket means."""
        return self.rule == EMBEDDED

    @property
    def rerouted(self) -> bool:
        """Whether failover asked another candidate than the one that was to answer."""
        return bool(self.rule) and not self.embedded and not self.rule.startswith(CLIMBED)


@dataclass(frozen=True, slots=True)
class Handover:
    """A guardrail gave the ticket to a person: `rule` names the guardrail, `reason` is a sentence.

    `withheld` says that the step's output goes no further: neither to the customer nor into another prompt.
    """

    rule: str
    reason: str
    withheld: bool = False


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
class SecondOpinion:
    """What the next tier up made of a stage that had been answered. It is never served, and billed apart from its ticket."""

    candidate: str
    probability: float
    """With which the ticket was drawn."""
    disagrees: bool | None
    """Whether it contradicts what was served; `None` where it gave no usable answer, or nobody could tell."""
    note: str = ""
    receipts: tuple[Receipt, ...] = ()
    """Its own and the judge's."""


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
    handover: Handover | None = None
    second: SecondOpinion | None = None

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Every attempt's receipt, failed ones included."""
        return tuple(a.receipt for a in self.attempts)

    @property
    def asked(self) -> tuple[Attempt, ...]:
        """The attempts at an answer: those that only embedded the ticket for the semantic cache are left out."""
        return tuple(a for a in self.attempts if not a.receipt.embedded)


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

    @property
    def second_opinions(self) -> tuple[tuple[str, SecondOpinion], ...]:
        """Stage and second opinion, where there is one."""
        return tuple((s.stage, s.second) for s in self.steps if s.second is not None)

    @property
    def handover(self) -> Handover | None:
        """Why the ticket went to a person, or `None`."""
        return next((s.handover for s in self.steps if s.handover is not None), None)

    @property
    def served(self) -> str | None:
        """The answer that the customer gets, or `None` where there is none or a guardrail gave the ticket to a person."""
        answer = self.step("respond")
        if self.handover is not None or answer is None or answer.state != "done":
            return None
        return answer.output if isinstance(answer.output, str) else None
