"""Who is told of every receipt, before its result goes any further, and of every ticket that goes to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from playground.records import Handover, Receipt, Request, Ticket


class Record(Protocol):
    """Called from the threads that run calls: safe to share between them, and it never raises. What was paid is not lost by it."""

    def paid(self, request: Request, receipts: Sequence[Receipt]) -> None:
        """Keep the receipts of every try of one call, in order."""

    def handed_over(self, ticket: Ticket, stage: str, handover: Handover) -> None:
        """Keep that a guardrail gave a ticket to a person at this stage."""


class Unrecorded:
    """Keeps nothing."""

    def paid(self, request: Request, receipts: Sequence[Receipt]) -> None:
        """Let the receipts go."""

    def handed_over(self, ticket: Ticket, stage: str, handover: Handover) -> None:
        """Let it go."""


UNRECORDED = Unrecorded()
