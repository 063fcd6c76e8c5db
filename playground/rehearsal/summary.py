"""Summary: who wants what, what was answered, what is open."""

from __future__ import annotations

from collections.abc import Sequence

from playground.records import Context, Output, Request
from playground.rehearsal.asks import asks
from playground.rehearsal.policy import applying
from playground.rehearsal.private import told

NOTE_WORDS = {"wants": 55, "answered": 25, "open": 45, "policies": 12}
"""Words for each part of a note: with its headings it stays under the 150 that the stage allows."""


def summarise(request: Request) -> Output:
    """The note for the next colleague."""
    context = request.context
    draft, check = (context.earlier.get(key, {}) for key in ("draft", "check"))
    cited = () if isinstance(draft, str) else draft.get("citations", ())
    still_open = () if isinstance(draft, str) else draft.get("open_questions", ())
    found = () if isinstance(check, str) else [f.get("policy", "") for f in check.get("findings", ())]
    touched = dict.fromkeys([*(p.id for p in applying(context) if p.cues), *found])
    note = {
        "wants": " ".join(map(told, asks(context.ticket))) or "not clear from the message.",
        "answered": _answered(context, cited),
        "open": " ".join(map(str, still_open)) or "nothing.",
        "policies": ", ".join(touched) or "none in particular.",
    }
    return "\n".join(f"{name.capitalize()}: {_shortened(text, NOTE_WORDS[name])}" for name, text in note.items())


def _answered(context: Context, cited: Sequence[str]) -> str:
    if "respond" not in context.earlier:
        return "nothing yet."
    return "; ".join(p.title for p in context.passages if p.id in cited) or "nothing from the help centre."


def _shortened(text: str, words: int) -> str:
    # Scripts without spaces have no words to count: ten characters stand for one.
    short = " ".join(text.split()[:words])[: 10 * words]
    return short if len(short) == len(" ".join(text.split())) else f"{short} …"
