"""Tickets as Zendesk, Intercom and Freshdesk export them in JSON, into plain rows: id, customer, created_at, subject, text, turns.

The shapes are those of Zendesk's tickets and incremental export (and its account export, with comments), Intercom's conversation
object, and Freshdesk's tickets with conversations (and its older account export, `helpdesk_ticket` with notes). JSON of any other
shape keeps its own keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from playground.logs.html_text import html_text, is_html
from playground.logs.rounds import is_customer

_WRAPPERS = ("helpdesk_ticket", "ticket", "conversation")
_MARKS = frozenset((*_WRAPPERS, "source", "conversation_message", "requester_id", "requester", "description_text"))
_ZENDESK = frozenset(("via", "raw_subject", "comments", "brand_id", "submitter_id", "generated_timestamp"))
_FRESHDESK = frozenset(("description_text", "conversations", "notes", "display_id", "responder_id"))
_SAID = frozenset(("comment", "assignment", "open", "close", "conversation", "", None))
"""Kinds of Intercom's parts that are sent to the customer, where they have a body; a note is not."""
Object = Mapping[str, Any]


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """The ticket as a plain row, where it has the shape of one of the three."""
    if _MARKS.isdisjoint(row):
        return row
    inner = next((row[key] for key in _WRAPPERS if isinstance(row.get(key), dict) and len(row) <= 2), row)
    if isinstance(inner.get("source"), dict) or isinstance(inner.get("conversation_message"), dict):
        return _intercom(inner)
    if "requester_id" in inner or isinstance(inner.get("requester"), dict):
        if not _FRESHDESK.isdisjoint(inner) and "comments" not in inner:
            return _freshdesk(inner)
        if not _ZENDESK.isdisjoint(inner):
            return _zendesk(inner)
    return inner


def _intercom(row: Object) -> dict[str, Any]:
    first = row["source"] if isinstance(row.get("source"), dict) else row["conversation_message"]
    said = [first, *(p for p in _objects(row.get("conversation_parts"), "conversation_parts") if _is_said(p))]
    said = [part for part in said if part.get("body")]
    author = _object(first.get("author"))
    contact = next(iter(_objects(row.get("contacts"), "contacts")), {})
    customer = author if is_customer({"author": author}) else contact or _object(row.get("user"))
    text = next((part["body"] for part in said if is_customer(_by(part))), first.get("body"))
    subject = first.get("subject") or row.get("title")
    return _plain(row.get("id"), _who(customer), row.get("created_at"), subject, text, map(_by, said))


def _is_said(part: Object) -> bool:
    return part.get("part_type") in _SAID


def _by(part: Object) -> Object:
    return {"author": part.get("author")}


def _freshdesk(row: Object) -> dict[str, Any]:
    text = row.get("description_text") or row.get("description") or row.get("description_html")
    replies = row["notes"] if isinstance(row.get("notes"), list) else row.get("conversations")
    turns = (
        [{"incoming": True}, *map(_unwrapped, _objects(replies, "conversations"))]
        if isinstance(replies, list)
        else None
    )
    customer = row.get("requester_id") or _who(_object(row.get("requester")))
    number = row.get("display_id") or row.get("id")
    return _plain(number, customer, row.get("created_at"), row.get("subject"), text, turns)


def _unwrapped(note: Object) -> Object:
    """A note stands alone, or under a key of its own."""
    inner = next(iter(note.values())) if len(note) == 1 else None
    return inner if isinstance(inner, dict) else note


def _zendesk(row: Object) -> dict[str, Any]:
    requester = row.get("requester_id") or _who(_object(row.get("requester")))
    comments = _objects(row.get("comments"), "comments")
    text = row.get("description") or next((body for c in comments if (body := _comment_body(c))), None)
    turns = [_zendesk_turn(c, requester) for c in comments] or None
    subject = row.get("subject") or row.get("raw_subject")
    return _plain(row.get("id"), requester, row.get("created_at"), subject, text, turns)


def _comment_body(comment: Object) -> Any:
    return comment.get("plain_body") or comment.get("body") or comment.get("html_body")


def _zendesk_turn(comment: Object, requester: Any) -> Object:
    author = comment.get("author_id") or _who(_object(comment.get("author")))
    return {"incoming": author == requester, "public": comment.get("public")}


def _plain(
    number: Any, customer: Any, created_at: Any, subject: Any, text: Any, turns: Iterable[Object] | None
) -> dict[str, Any]:
    listed = None if turns is None else [_turn(t) for t in turns if not _is_private(t)]
    return {
        "id": number,
        "customer": customer,
        "created_at": created_at,
        "subject": _from_html(subject),
        "text": _from_html(text),
        "turns": listed or None,
    }


def _is_private(turn: Object) -> bool:
    return turn.get("private") is True or turn.get("public") is False


def _turn(turn: Object) -> dict[str, str]:
    return {"role": "customer" if is_customer(turn) else "agent"}


def _from_html(value: Any) -> Any:
    return html_text(value) if isinstance(value, str) and is_html(value) else value


def _who(person: Object) -> Any:
    return person.get("id") or person.get("external_id") or person.get("email") or person.get("name")


def _object(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _objects(value: Any, key: str) -> list[Object]:
    """The objects of a list, or of an object that holds the list under its own name."""
    found = value.get(key) if isinstance(value, dict) else value
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
