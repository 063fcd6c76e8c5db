"""Which column of a log holds what: set by the user, or guessed from the names help desks give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from playground.errors import BadTicket
from playground.logs.rounds import rounds_of

Row = Mapping[str, object]
TurnsOf = Literal["customer", "both"]
FIELDS = ("text", "id", "customer", "subject", "created_at", "turns", "satisfaction", "label")

_TEXT = """text body message description description_text first_message content question comment message_body
 initial_message request plain_body body_text ticket_description conversation
 anfrage nachricht beschreibung inhalt mensaje descripcion texto"""
_SUBJECT = "subject betreff asunto ticket_subject title summary conversation_subject"
_CUSTOMER_TURNS = """customer_interactions n_customer_turns customer_turns customer_messages customer_message_count
 n_customer_messages rounds n_rounds"""
_NAMES: Mapping[str, str] = {
    "id": "id ticket_id nr nummer ticketnummer number case_number conversation_id display_id ticket_number",
    "customer": """company company_name organization organisation organization_name account account_name kunde firma empresa cliente
 customer_id requester_id contact_id user_id customer requester requester_email contact user_email
 customer_email email contact_email user user_name full_name requester_name""",
    "subject": _SUBJECT,
    "created_at": """created_at erstellt erstellt_am eröffnet_am eroeffnet_am datum fecha
 created created_time created_date creation_date date_created ticket_created_at
 conversation_started_at conversation_created_at started_at opened_at opened submitted_at date timestamp""",
    "satisfaction": """satisfaction csat csat_score csat_rating satisfaction_score satisfaction_rating customer_satisfaction
 conversation_rating survey_result survey_results""",
    "label": "true_intent true_label label intent",
    "turns": f"""turns {_CUSTOMER_TURNS} n_turns messages message_count n_messages number_of_messages comments
 comment_count conversations conversation_parts transcript thread""",
}
_AFTER = re.compile(r"\s*\(.*\)\s*$")
_BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what; `None` where there is none. Only `text` is needed."""

    text: str
    id: str | None = None
    customer: str | None = None
    subject: str | None = None
    created_at: str | None = None
    turns: str | None = None
    turns_of: TurnsOf = "both"
    """Whose messages a number of turns counts: the customer's, or those of both sides."""
    satisfaction: str | None = None
    label: str | None = None
    """What kind of ticket it truly is, in the words of the agent's labels."""


def guess(row: Row, file: str) -> Columns:
    """Columns by their names. Raises `BadTicket` where none looks like a ticket's text."""
    by_name: dict[str, str] = {}
    for name in row:
        by_name.setdefault(_plain(name), name)
    found = {field: _first(names, by_name) for field, names in _NAMES.items()}
    text = _first(_TEXT, by_name)
    if text is None:
        # Zendesk's and Freshdesk's CSV exports hold subjects and no bodies.
        text, found["subject"] = found["subject"], None
    if text is None:
        raise BadTicket(
            f"{file}: no column looks like the ticket's text. Columns: {_listed(row)}. Name one of them "
            f"{', '.join(_TEXT.split()[:4])}, or say which one it is."
        )
    turns = found["turns"]
    if turns is not None and rounds_of(row[turns], "both") is None:
        found["turns"] = None
    return Columns(text, **found, turns_of=_turns_of(turns))


def is_subject(column: str) -> bool:
    """Whether a column is named like a subject: the guess takes it for the text where there is no other."""
    return _plain(column) in _keys(_SUBJECT)


def checked(columns: Columns, row: Row, file: str) -> Columns:
    """The columns, all of them in the file. Raises `BadTicket`."""
    for field in FIELDS:
        name = getattr(columns, field)
        if name is not None and name not in row:
            raise BadTicket(f"{file}: there is no column {name!r}. Columns: {_listed(row)}.")
    return columns


def sample(rows: Iterable[Row]) -> dict[str, object]:
    """Every column of some rows with its first value: objects in JSON leave out what they do not have."""
    found: dict[str, object] = {}
    for row in rows:
        for name, value in row.items():
            if found.get(name) in (None, ""):
                found[name] = value
    return found


def _turns_of(turns: str | None) -> TurnsOf:
    return "customer" if turns is not None and _plain(turns) in _keys(_CUSTOMER_TURNS) else "both"


def _first(names: str, by_name: Mapping[str, str]) -> str | None:
    return next((by_name[n] for n in _keys(names) if n in by_name), None)


def _keys(names: str) -> list[str]:
    return [name.replace("_", "") for name in names.split()]


def _plain(name: str) -> str:
    """`Created at (Europe/Berlin)` and `createdAt` are both `createdat`."""
    return _BETWEEN.sub("", _AFTER.sub("", name)).lower()


def _listed(row: Row) -> str:
    return ", ".join(map(str, row))[:300]
