"""A receipt as the ledger keeps it, and what else happened that a later page must know of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from playground.records.run import Receipt
from playground.records.words import Assurance, Provenance

Purpose = Literal["ticket", "sample", "shadow", "second opinion", "tuning"]
"""What a call was made for: one ticket in the notebook, a log's tickets, an evaluation, a check after the cut-over, a threshold."""
PURPOSES: tuple[Purpose, ...] = ("ticket", "sample", "shadow", "second opinion", "tuning")
EventKind = Literal["handover", "cap", "failover", "drift", "cut over", "keep", "forecast", "delivered"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One receipt with its when, who and why. `at` is in UTC; `run` names the run that it belongs to."""

    receipt: Receipt
    at: datetime
    run: str
    purpose: Purpose
    customer: str | None = None
    """`None` where the ticket names none: unattributed."""
    ticket_digest: str = ""
    """Tells tickets apart without holding their text."""
    before_usd: Decimal | None = None
    """What the same call would have cost on the stage's model of today; `None` where its answer was not used or has no price."""
    text: str | None = None
    """The ticket's text, only where the user keeps it."""
    assurance: Assurance | None = None
    """How kr-auto chose; `None` under other plans, and where it was not written down."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is no receipt. `subject` is what it is about, such as a stage or a candidate; `said` is one sentence."""

    at: datetime
    kind: EventKind
    subject: str
    said: str
    provenance: Provenance
    run: str = ""
    ticket_id: str = ""
    customer: str | None = None


PlanNoteKind = Literal["verdict", "withdrawn", "guard", "start"]
"""A recorded verdict, one taken back, a guardrail switched on or off, the plan's first day."""


@dataclass(frozen=True, slots=True)
class PlanNote:
    """Something decided about an agent that a later session goes by. It names no customer.

    `subject` is a stage or a guardrail; `value` is the verdict as JSON, `on` or `off`, or a day as 2026-11-30.
    """

    at: datetime
    kind: PlanNoteKind
    pipeline: str
    subject: str
    provenance: Provenance
    value: str
    said: str = ""
    """Where it was made, as a sentence."""
