"""Writes what a run pays for into the ledger, beside what the same call would have cost on today's model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from uuid import uuid4

from playground.bill import elsewhere, tokens_of
from playground.caps import CAP_RULES
from playground.forgotten import DELETIONS
from playground.ledger.book import Ledger
from playground.ledger.rows import COMPARED
from playground.money import ZERO, usd
from playground.prices import cost_usd
from playground.receipts import whole
from playground.records import (
    Assurance,
    Entry,
    Event,
    EventKind,
    Handover,
    Plan,
    Provenance,
    Purpose,
    Receipt,
    Request,
    Ticket,
    Usage,
)
from playground.router import Router

ROUTED: Plan = "kr-auto"
"""The only plan that asks how sure a choice must be."""

RUNS: Mapping[Purpose, str] = {
    "ticket": "run of a ticket", "sample": "sample run", "shadow": "shadow run", "second opinion": "second opinions",
    "tuning": "tuning of the semantic cache",
}  # fmt: skip
"""What a cap ended, in words."""


def new_run() -> str:
    """A name for a run."""
    return uuid4().hex[:12]


def ticket_digest(ticket: Ticket) -> str:
    """Tells tickets apart without holding their text: 16 hex digits of SHA-256 over subject and text."""
    return sha256(f"{ticket.subject}\0{ticket.text}".encode("utf-8", "backslashreplace")).hexdigest()[:16]


@dataclass
class Recorder:
    """A `Record` that keeps everything in a ledger. Never raises; `run` may be named until the first call."""

    ledger: Ledger
    router: Router
    purpose: Purpose
    provenance: Provenance
    """That of the agent: a ticket that is handed over may have no receipt."""
    run: str = field(default_factory=new_run)
    keep_text: bool = False
    """Whether the ticket's text is kept with each receipt."""
    began: int = field(default_factory=lambda: DELETIONS.count)
    """How many deletions of customers there were before: what it still pays for one deleted since is not kept."""

    def paid(self, request: Request, receipts: Sequence[Receipt]) -> None:
        """Keep the receipts of one call, and that another model answered it."""
        ticket, now = request.context.ticket, datetime.now(UTC)
        self.ledger.add([self._entry(r, request, now) for r in receipts], self.began)
        moved = next((r for r in reversed(receipts) if r.rerouted and r.outcome == "ok"), None)
        if moved is not None:
            self._note("failover", ticket, f"{moved.stage}: {moved.model}", moved.rule)

    def handed_over(self, ticket: Ticket, stage: str, handover: Handover) -> None:
        """Keep that a person took the ticket, and which guardrail gave it away; a cap on spending is an alarm of its own."""
        self._note(
            "cap" if handover.rule in CAP_RULES else "handover", ticket, stage, f"{handover.rule}: {handover.reason}"
        )

    def capped(self, cap_usd: Decimal, left: int) -> None:
        """Keep that a cap ended a run of many tickets before this many had run."""
        said = f"{RUNS[self.purpose]}: the cap of {usd(cap_usd)} ended it; {left:,} ticket{'' if left == 1 else 's'} did not run."
        self.ledger.note(Event(datetime.now(UTC), "cap", self.purpose, said, self.provenance, self.run))

    def _note(self, kind: EventKind, ticket: Ticket, subject: str, said: str) -> None:
        who = ticket.customer_id or None
        noted = Event(datetime.now(UTC), kind, subject, said, self.provenance, self.run, ticket.id, who)
        self.ledger.note(noted, self.began)

    def _entry(self, r: Receipt, request: Request, now: datetime) -> Entry:
        ticket = request.context.ticket
        text = f"{ticket.subject}\n\n{ticket.text}".strip() if self.keep_text else None
        who, before_usd = ticket.customer_id or None, self._before_usd(r, request)
        return Entry(r, now, self.run, self.purpose, who, ticket_digest(ticket), before_usd, text, self._assurance(r))

    def _assurance(self, r: Receipt) -> Assurance | None:
        return self.router.settings.assurance if r.plan == ROUTED else None

    def _before_usd(self, r: Receipt, request: Request) -> Decimal | None:
        """What `bill.as_if` makes of an answer that was used; on the plan of today a call costs what it costs."""
        if r.outcome != "ok" or self.purpose not in COMPARED:
            return None
        if r.plan == "before":
            return r.cost_usd
        if r.embedded:
            return ZERO  # today nothing is embedded; the answer beside it stands for the call
        stage, used = next((s for s in self.router.pipeline.stages if s.key == r.stage), None), tokens_of(r)
        if stage is None:
            return None
        before = self.router.named(stage.before)
        own = (r.model, r.effort) == (before.model.name, before.effort)
        if not used.output_tokens:
            own, used = False, Usage(request.prompt.input_tokens, stage.typical_output_tokens)
        return whole(cost_usd(used if own else elsewhere(stage, used, before), before.model.price))
