"""One call to make, for tests of what stands around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from playground.records import (
    Candidate,
    Completion,
    Context,
    Message,
    Model,
    OutputSpec,
    Price,
    Prompt,
    Provenance,
    Rates,
    Request,
    Ticket,
    Usage,
)
from playground.templates import fence
from playground.watch import Watch

MODEL = Model(
    "openai/fake", "fake", "Fake", Price(Rates(Decimal(1), Decimal(10)), date(2026, 11, 1), "a test"), 8_000, 800
)
USED = Usage(100, 20, 10, reasoning_tokens=5, counted="provider")
LABELS = {"card": "about a card", "money": "about money"}
LABEL_SCHEMA: Mapping[str, Any] = {"type": "object", "required": ["label"], "properties": {"label": {"type": "string"}}}


def call(
    text: str = "Where is my card?",
    customer: str | None = "acme",
    stage: str = "intent",
    system: str = "Sort the ticket.",
    subject: str = "",
    model: Model = MODEL,
    output: OutputSpec | None = None,
) -> Request:
    """A request for a label, or for what `output` says."""
    ticket = Ticket("t", text, subject, customer)
    user = f"Subject: {fence(subject) or '(none)'}\n<ticket>\n{fence(text)}\n</ticket>"
    prompt = Prompt(stage, 1, (Message("system", system), Message("user", user)), 50, 10)
    spec = output or OutputSpec("json", LABEL_SCHEMA, ("label_known",))
    return Request(Candidate(model), prompt, spec, 200, 40, Context(ticket, LABELS, ()))


class Answering:
    """Answers every call with `text`, or raises it; counts the calls."""

    def __init__(
        self, text: str | Exception = '{"label": "card"}', provenance: Provenance = "live", **changes: Any
    ) -> None:
        self.text, self.provenance, self.changes = text, provenance, changes
        self.calls = 0

    def __call__(self, request: Request, watch: Watch) -> Completion:
        """Answer one call."""
        self.calls += 1
        if isinstance(self.text, Exception):
            raise self.text
        return replace(Completion(self.text, USED, self.provenance, 0.5, 0.1), **self.changes)
