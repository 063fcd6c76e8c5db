"""Text and Markdown into a `Ticket`: checked, cleaned, and saying what was cleaned."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from playground.errors import BadKnowledge, BadTicket
from playground.knowledge import SAMPLES, split_front_matter
from playground.records import Ticket, Turn

MAX_CHARS = 2_000_000
"""Above this nothing is read; what fits a model's context is the router's question."""
# Zero-width and direction-control characters can hide text from a reader that a model still sees (Trojan Source, 2021).
_HIDDEN = re.compile("[\u00ad\u034f\u180e\u200b\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# A mail may begin with a rule of dashes; only key: value lines after it are a head.
_HEAD = re.compile(r"---\n(?:\w+:.*\n|[ \t].*\n)*---\n")
_TURN = re.compile(r"^## (customer|agent)\s*$", re.MULTILINE | re.IGNORECASE)


def from_text(text: str, subject: str = "", *, ticket_id: str | None = None, customer_id: str | None = None) -> Ticket:
    """A pasted ticket. Raises `BadTicket` where it is empty or over `MAX_CHARS` characters."""
    body, notes = clean(text)
    if not body:
        raise BadTicket("The ticket is empty. Paste the customer's message, or pick a sample.")
    if len(body) > MAX_CHARS:
        raise BadTicket(
            f"The ticket has {len(body):,} characters; at most {MAX_CHARS:,} can be read. Paste the part that matters."
        )
    subject = " ".join(clean(subject)[0].split())[:300]
    return Ticket(ticket_id or _digest(subject, body), body, subject, customer_id, turns=_turns(body), notes=notes)


def from_bytes(raw: bytes, name: str) -> Ticket:
    """A ticket from a file's bytes. Raises `BadTicket` where they are not UTF-8 text."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadTicket(
            f"{name}: byte {error.start:,} is not UTF-8 text. Save the file as UTF-8 and load it again."
        ) from None
    return from_markdown(text, name)


def from_markdown(text: str, name: str) -> Ticket:
    """A ticket from Markdown with an optional head of id, customer, created_at, subject, lang. Raises `BadTicket`."""
    text = text.replace("\r\n", "\n")
    if not _HEAD.match(text):
        return from_text(text)
    try:
        head, body = split_front_matter(text, name)
    except BadKnowledge as error:
        raise BadTicket(str(error)) from None
    plain = from_text(
        body, str(head.get("subject") or ""), ticket_id=_text(head.get("id")), customer_id=_text(head.get("customer"))
    )
    lang = _text(head.get("lang"))
    created = _when(head.get("created_at"), name)
    return Ticket(plain.id, plain.text, plain.subject, plain.customer_id, created, plain.turns, lang, plain.notes)


def from_file(path: Path) -> Ticket:
    """A ticket from a text or Markdown file. Raises `BadTicket`."""
    try:
        return from_bytes(path.read_bytes(), path.name)
    except OSError as error:
        raise BadTicket(f"{path}: cannot be read: {error.strerror}.") from None


def sample_names() -> tuple[str, ...]:
    """The sample tickets' file names, in order."""
    return tuple(path.stem for path in sorted((SAMPLES / "tickets").glob("*.md")))


def sample_title(name: str) -> str:
    """A sample's name for the screen: `01-double-charge-angry` is `Double charge angry`."""
    return name.partition("-")[2].replace("-", " ").capitalize()


@cache
def samples() -> dict[str, Ticket]:
    """The sample tickets by file name, in order."""
    return {name: from_file(SAMPLES / "tickets" / f"{name}.md") for name in sample_names()}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _when(value: Any, name: str) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise BadTicket(f"{name}: created_at {value!r} is not a date; write it like 2026-11-24T09:30:00.") from None


def clean(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without what a reader cannot see, in one Unicode form; and a sentence on what was taken out."""
    notes = []
    # A lone surrogate cannot be sent to any model; it comes from half an emoji in a broken export.
    whole = text.encode("utf-8", "replace").decode("utf-8")
    shown, hidden = _HIDDEN.subn("", whole)
    shown, control = _CONTROL.subn(" ", shown)
    if hidden or control:
        count = hidden + control
        notes.append(
            f"{count:,} invisible {'character was' if count == 1 else 'characters were'} removed from the ticket."
        )
    return unicodedata.normalize("NFC", shown).strip(), tuple(notes)


def _turns(body: str) -> tuple[Turn, ...]:
    parts = _TURN.split(body)
    if len(parts) < 3:
        return ()
    return tuple(Turn(role.lower(), text.strip()) for role, text in zip(parts[1::2], parts[2::2], strict=True))


def _digest(subject: str, body: str) -> str:
    return "t-" + sha256(f"{subject}\n{body}".encode()).hexdigest()[:10]
