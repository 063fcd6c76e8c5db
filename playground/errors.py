"""Every error the engine raises.

PlaygroundError            one clear sentence for the user; the cause stays chained
  BadInput                 something the user gave us cannot be used
    BadTicket              a ticket is empty, too long or not text
    BadPipeline            a pipeline file is wrong: names file, key and what is allowed
    BadKnowledge           a help centre or policy file cannot be read
    BadEvidence            a file of evidence cannot be read
    BadModel               a model is unknown, unpriced or does not fit
  Cancelled                the user stopped the run; what was spent is kept
  CallFailed               a model call failed; carries a kind, and usage where some was billed
  HandedOver               a guardrail stopped a call before it went out; a person takes the ticket
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.records import Candidate, Completion, FailureKind, Try


class PlaygroundError(Exception):
    """Base of the tree; `str(error)` is one sentence that may be shown to the user."""


class BadInput(PlaygroundError):
    """Something the user gave us cannot be used."""


class BadTicket(BadInput):
    """A ticket is empty, too long or not text."""


class BadPipeline(BadInput):
    """A pipeline file is wrong; the sentence names file, key and what is allowed."""


class BadKnowledge(BadInput):
    """A help centre or policy file cannot be read."""


class BadEvidence(BadInput):
    """A file of evidence cannot be read."""


class BadModel(BadInput):
    """A model is unknown, unpriced, or does not fit."""


class Cancelled(PlaygroundError):
    """The user stopped the run; `partial` is what had arrived and is billed.

    `tries` were made before that; `candidate` was being asked where it is not the one of the request, by `rule`.
    """

    def __init__(
        self,
        message: str = "Cancelled.",
        partial: Completion | None = None,
        tries: tuple[Try, ...] = (),
        candidate: Candidate | None = None,
        rule: str = "",
    ) -> None:
        super().__init__(message)
        self.partial, self.tries, self.candidate, self.rule = partial, tries, candidate, rule


class CallFailed(PlaygroundError):
    """A model call failed; the message is redacted before it gets here.

    `partial` is set where the provider may have billed something: a cut stream, or a call that timed out after it was sent.
    `tries` are the tries before this one, at other models or for the semantic cache; `retry_after_s` is what the provider asked to
    wait.
    `last` is this one in full, where another candidate than the request's was asked last.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        partial: Completion | None = None,
        tries: tuple[Try, ...] = (),
        retry_after_s: float | None = None,
        last: Try | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.partial, self.tries, self.retry_after_s, self.last = partial, tries, retry_after_s, last


class HandedOver(PlaygroundError):
    """A guardrail stopped a call before it went out; `rule` names the guardrail, the message says why."""

    def __init__(self, rule: str, message: str, tries: tuple[Try, ...] = ()) -> None:
        super().__init__(message)
        self.rule, self.tries = rule, tries
