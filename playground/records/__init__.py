"""Every value that travels through the engine. Frozen, and importing nothing of ours.

Road: Ticket -> Prompt -> Decision -> Request -> Completion -> Verdict + Receipt -> Attempt -> Step -> Trace.
Money is `Decimal` in USD; `None` means unpriced, never zero.
"""

from playground.records.decision import (
    Bar,
    Considered,
    Cue,
    Decision,
    EvidenceRow,
    Pairs,
    Proof,
    Quality,
)
from playground.records.model import (
    Candidate,
    Model,
    Price,
    Rates,
    Usage,
)
from playground.records.run import (
    Attempt,
    Completion,
    Context,
    OutputSpec,
    Receipt,
    Request,
    Step,
    Trace,
    Verdict,
)
from playground.records.ticket import (
    Message,
    Passage,
    Policy,
    Prompt,
    Ticket,
    Turn,
)
from playground.records.words import (
    ASSURANCES,
    PLANS,
    Assurance,
    Counted,
    Effort,
    Outcome,
    Output,
    Plan,
    Provenance,
    ReasonCode,
    StepState,
)

__all__ = [
    "ASSURANCES",
    "PLANS",
    "Assurance",
    "Attempt",
    "Bar",
    "Candidate",
    "Completion",
    "Considered",
    "Context",
    "Counted",
    "Cue",
    "Decision",
    "Effort",
    "EvidenceRow",
    "Message",
    "Model",
    "Outcome",
    "Output",
    "OutputSpec",
    "Pairs",
    "Passage",
    "Plan",
    "Policy",
    "Price",
    "Prompt",
    "Proof",
    "Provenance",
    "Quality",
    "Rates",
    "ReasonCode",
    "Receipt",
    "Request",
    "Step",
    "StepState",
    "Ticket",
    "Trace",
    "Turn",
    "Usage",
    "Verdict",
]
