"""What a customer asks, what is known, and what a model is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


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
