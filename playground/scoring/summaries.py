"""What a hand-over note is worth: whether its facts stand in the ticket or the reply, and how many of theirs it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playground.prompts import as_text
from playground.records import Context
from playground.scoring.facts import Facts, facts_of

HELD = 0.6
"""An open point is held from this share of its words: notes shorten, but what it is about must stand there."""


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
    """The two shares of one note. Ticket, reply and open points count alike for coverage: a long reply must not drown the rest."""
    note = facts_of(text)
    parts = [facts_of(part).share_in(note) for part in (_ticket(context), _reply(context))]
    shares = [share for share in (*parts, _points_held(context, note)) if share is not None]
    allowed = facts_of("\n".join(_given(context)))
    return Note(note.share_in(allowed), sum(shares) / len(shares) if shares else None)


def _ticket(context: Context) -> str:
    ticket = context.ticket
    return "\n".join([ticket.subject, *([t.text for t in ticket.turns] or [ticket.text])])


def _reply(context: Context) -> str:
    return as_text(context.earlier.get("respond", ""))


def _points_held(context: Context, note: Facts) -> float | None:
    """The share of the open points that a note holds by most of their words; what is left open is the heart of a hand-over."""
    points = [words for point in _open_points(context) if (words := facts_of(point).words)]
    held = [len(words & note.words) >= HELD * len(words) for words in points]
    return sum(held) / len(held) if held else None


def _open_points(context: Context) -> Sequence[str]:
    draft = context.earlier.get("draft", {})
    points = () if isinstance(draft, str) else draft.get("open_questions", ())
    return tuple(map(str, points)) if isinstance(points, list | tuple) else ()


def _given(context: Context) -> Iterator[str]:
    """All that a note may state: the ticket and the reply, what earlier stages found, and what policies and articles are called."""
    yield _ticket(context)
    yield context.ticket.customer_id or ""
    yield from (as_text(output) for output in context.earlier.values())
    yield from (f"about {p.id} {p.title}" for p in context.policies)
    yield from (f"about {p.id} {p.title}" for p in context.passages)
