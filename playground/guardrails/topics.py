"""What a ticket is about that policies leave to people: the law, and who somebody is. English, German, French and Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playground.guardrails.cues import cue
from playground.guardrails.readings import opened
from playground.records import Policy, Ticket


def is_legal(ticket: Ticket) -> bool:
    """Whether a ticket speaks of lawyers, courts, authorities, the police, or a payment that a bank is to reverse."""
    return cue("legal").search(_text(ticket)) is not None


def needs_identity(ticket: Ticket) -> bool:
    """Whether a ticket is about a change of address or owner, a second factor, or an account that is somebody else's."""
    return cue("identity").search(_text(ticket)) is not None


def grants_access(answer: str) -> bool:
    """Whether an answer says that an account was changed."""
    return cue("access_given").search(_flat(opened(answer))) is not None


def escalating(ticket: Ticket, policies: Iterable[Policy]) -> Policy | None:
    """The first policy that asks for a person and whose cues the ticket holds; one without cues always asks."""
    said = _text(ticket).lower()
    return next(
        (p for p in policies if p.escalate and (not p.cues or any(_begins_word(c.lower(), said) for c in p.cues))), None
    )


def _begins_word(cue: str, said: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(_flat(cue))}", said) is not None


def _text(ticket: Ticket) -> str:
    written = [t.text for t in ticket.turns if t.role == "customer"] or [ticket.text]
    return _flat(opened("\n".join([ticket.subject, *written])))


def _flat(text: str) -> str:
    return text.replace("\u2019", "'")
