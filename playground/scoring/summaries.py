"""What a hand-over note is worth: whether its facts stand in the ticket or the reply, and how many of theirs it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playground.prompts import as_text
from playground.records import Context
from playground.scoring.facts import facts_of


@dataclass(frozen=True, slots=True)
class Note:
    """A note's two shares; `None` where there is no fact to count."""

    faithfulness: float | None
    coverage: float | None

    @property
    def worth(self) -> float:
        """The mean of the shares; a note without any fact where there are some to hold is worth its coverage alone."""
        known = [share for share in (self.faithfulness, self.coverage) if share is not None]
        return sum(known) / len(known) if known else 1.0

    def __str__(self) -> str:
        return f"faithfulness {_percent(self.faithfulness)}, coverage {_percent(self.coverage)}"


def _percent(share: float | None) -> str:
    return "not countable" if share is None else f"{share:.0%}"


def note_of(context: Context, text: str) -> Note:
    """The two shares of one note."""
    note, told, allowed = facts_of(text), facts_of(_told(context)), facts_of("\n".join(_given(context)))
    return Note(note.share_in(allowed), told.share_in(note))


def _told(context: Context) -> str:
    """The ticket and the reply: what a note is about."""
    ticket, reply = context.ticket, context.earlier.get("respond", "")
    body = [t.text for t in ticket.turns] or [ticket.text]
    return "\n".join([ticket.subject, *body, as_text(reply)])


def _given(context: Context) -> Iterator[str]:
    """All that a note may state: the ticket and the reply, what earlier stages found, and what policies and articles are called."""
    yield _told(context)
    yield context.ticket.customer_id or ""
    yield from (as_text(output) for output in context.earlier.values())
    yield from (f"about {p.id} {p.title}" for p in (*context.policies, *context.passages))
