"""JSON of every shape: lists, pages, objects one after another, and what help desks export."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from playground.errors import BadTicket
from playground.logs import json_events, preview
from playground.logs.help_desks import flat
from playground.logs.html_text import html_text
from tests.logs_helpers import read, reasons, written

ONE, TWO = {"id": 1, "text": "One"}, {"id": 2, "text": "Two"}
DAY = date(2026, 11, 24).toordinal()


SHAPES = [
    json.dumps([ONE, TWO]),
    json.dumps([ONE, TWO], indent=1),
    json.dumps({"count": 2, "tickets": [ONE, TWO], "users": [{"id": 9}]}),
    json.dumps({"results": [ONE, TWO]}),
    json.dumps({"data": [ONE, TWO]}),
    json.dumps({"tickets": [ONE]}) + "\n" + json.dumps({"tickets": [TWO]}),
    json.dumps(ONE) + "\n" + json.dumps(TWO) + "\n",
    "\ufeff" + json.dumps([ONE, TWO]),
]
OVER_LINES = [
    json.dumps({"users": [{"id": 9, "name": "Ann"}], "conversations": [ONE, TWO]}, indent=1),
    json.dumps({"tickets": [ONE]}, indent=1) + json.dumps({"tickets": [TWO]}),
    json.dumps(ONE, indent=1) + json.dumps(TWO, indent=1),
]


@pytest.mark.parametrize(
    ("name", "content"),
    [("log.json", c) for c in SHAPES + OVER_LINES] + [("log.jsonl", c) for c in SHAPES],
)
def test_tickets_are_found_wherever_they_stand(tmp_path: Path, name: str, content: str) -> None:
    (batch,), told = read(written(tmp_path, name, content))
    assert batch.ids == ("1", "2")
    assert batch.texts == ("One", "Two")
    assert told.problems == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_a_stream_of_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    content = json.dumps([{"text": "Grüße"}], ensure_ascii=False).encode(encoding)
    (batch,), _ = read(written(tmp_path, "log.json", content))
    assert batch.texts == ("Grüße",)


def test_one_bad_ticket_is_named_by_its_number_and_the_rest_is_read(tmp_path: Path) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = {"a": deep}
    content = [ONE, 5, {"id": 3}, {"id": 4, "text": ["a"]}, {"id": 5, "text": "x", "deep": deep}, TWO]
    (batch,), told = read(written(tmp_path, "log.json", json.dumps(content)))
    assert batch.ids == ("1", "2")
    assert [p.line for p in told.problems] == [2, 3, 4, 5]
    assert reasons(told)[0] == "log.json, ticket 2: this is not a JSON object."
    assert "nested more than 100 deep" in reasons(told)[3]
    assert told.rows == 6


@pytest.mark.parametrize(
    "rest",
    [
        '{"id": 3, "te',
        "",
        '{"id": 3,,}]',
        "nonsense]",
        '{"id": ' + "9" * 5_000 + "}]",
        '{"id": 1e999999}]',
        "[" * 300_000,
    ],
)
def test_what_came_before_a_break_is_kept_and_the_break_is_named(tmp_path: Path, rest: str) -> None:
    content = f"[{json.dumps(ONE)}, {json.dumps(TWO)}, {rest}"
    (batch,), told = read(written(tmp_path, "log.json", content))
    assert batch.ids == ("1", "2")
    assert [(p.line, p.left_out) for p in told.problems] == [(3, True)]
    assert reasons(told)[0].startswith("log.json, ticket 3: ")


@pytest.mark.parametrize("large", [list(range(99)), dict.fromkeys(map(str, range(99)), 1), [[[1]]] * 30])
@pytest.mark.parametrize("listed", [True, False])
def test_a_ticket_with_more_values_than_memory_should_hold_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: Any, listed: bool
) -> None:
    monkeypatch.setattr(json_events, "MOST_VALUES", 50)
    rows = [ONE, {"id": 3, "text": "x", "large": large}, TWO]
    content = json.dumps(rows) if listed else "\n".join(json.dumps(r, indent=1) for r in rows)
    (batch,), told = read(written(tmp_path, "log.json", content))
    assert batch.ids == ("1", "2")
    assert reasons(told) == ["log.json, ticket 2: it has over 50 values; it is not read."]


@pytest.mark.parametrize("name", ["log.json", "log.jsonl"])
def test_deep_nesting_and_huge_integers_cost_one_line_at_most(tmp_path: Path, name: str) -> None:
    lines = [
        json.dumps(ONE),
        '{"a":' + "[" * 200_000 + "]" * 200_000 + "}",
        '{"a": ' + "9" * 5_000 + "}",
        "\0" + json.dumps(TWO),
    ]
    (batch,), told = read(written(tmp_path, name, "\n".join(lines)))
    assert batch.ids == ("1", "2")
    assert [p.line for p in told.problems] == [2, 3]
    assert "nested too deeply" in reasons(told)[0]
    assert any("NUL" in note for note in told.notes)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"tickets": []}', "5", "\x00", "[" * 300_000, '"' + "x" * 100])
def test_json_without_a_ticket_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadTicket, match="log.json"):
        read(written(tmp_path, "log.json", content))


def test_a_key_that_the_first_ticket_lacks_is_a_column_all_the_same(tmp_path: Path) -> None:
    (batch,), _ = read(
        written(tmp_path, "log.jsonl", json.dumps(ONE) + "\n" + json.dumps({**TWO, "created_at": "2026-11-24"}))
    )
    assert batch.days.tolist() == [0, DAY]


ZENDESK = {
    "id": 35436,
    "url": "https://acme.zendesk.com/api/v2/tickets/35436.json",
    "via": {"channel": "email"},
    "created_at": "2026-11-24T22:55:29Z",
    "subject": "Help",
    "raw_subject": "{{dc.help}}",
    "description": "The fire is very colorful.",
    "requester_id": 20978392,
    "submitter_id": 76872,
}
ZENDESK_COMMENTS = {
    **{k: v for k, v in ZENDESK.items() if k != "description"},
    "comments": [
        {"author_id": 20978392, "html_body": "<p>Hi,</p>", "body": "Hi,", "public": True},
        {"author_id": 76872, "body": "Ask him", "public": False},
        {"author_id": 20978392, "body": "anyone?", "public": True},
        {"author_id": 76872, "body": "Yes", "public": True},
        {"author_id": 20978392, "body": "Thanks", "public": True},
    ],
}
INTERCOM = {
    "type": "conversation",
    "id": "147",
    "created_at": 1795514400,
    "title": None,
    "source": {
        "type": "email",
        "subject": "<p>Invoice</p>",
        "body": "<p>Hello &amp; good day</p><p>Where is it?</p>",
        "author": {"type": "user", "id": "6762f0dd", "email": "a@x.io"},
    },
    "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "6762f0dd"}]},
    "conversation_parts": {
        "type": "conversation_part.list",
        "conversation_parts": [
            {"part_type": "comment", "body": "<p>Here</p>", "author": {"type": "admin", "id": "9"}},
            {"part_type": "note", "body": "<p>internal</p>", "author": {"type": "admin", "id": "9"}},
            {"part_type": "assignment", "body": None, "author": {"type": "bot", "id": "8"}},
            {"part_type": "comment", "body": "<p>Thanks</p>", "author": {"type": "user", "id": "6762f0dd"}},
        ],
    },
}
FRESHDESK = {
    "id": 20,
    "subject": "Support needed",
    "description": "<div>Printer</div>",
    "description_text": "Printer",
    "requester_id": 1,
    "responder_id": 2,
    "created_at": "2026-11-24T06:38:43Z",
    "conversations": [
        {"incoming": False, "private": False, "body_text": "Which?"},
        {"incoming": True, "private": False, "body_text": "The old one"},
        {"incoming": False, "private": True, "body_text": "hm"},
        {"incoming": True, "private": False, "body_text": "Thanks"},
    ],
}
FRESHDESK_OLD = {
    "helpdesk_ticket": {
        "id": 7001,
        "display_id": 20,
        "subject": "Support needed",
        "description": "Printer",
        "description_html": "<div>Printer</div>",
        "requester_id": 1,
        "created_at": "2026-11-24T06:38:43+01:00",
        "notes": [{"incoming": False, "private": False}, {"note": {"incoming": True, "private": False}}],
    }
}


@pytest.mark.parametrize(
    ("ticket", "expected", "rounds"),
    [
        (ZENDESK, ("35436", "20978392", "Help", "The fire is very colorful."), 0),
        (ZENDESK_COMMENTS, ("35436", "20978392", "Help", "Hi,"), 2),
        ({"ticket": ZENDESK}, ("35436", "20978392", "Help", "The fire is very colorful."), 0),
        (INTERCOM, ("147", "6762f0dd", "Invoice", "Hello & good day\n\nWhere is it?"), 2),
        (FRESHDESK, ("20", "1", "Support needed", "Printer"), 2),
        (FRESHDESK_OLD, ("20", "1", "Support needed", "Printer"), 2),
    ],
)
@pytest.mark.parametrize("lines", [True, False])
def test_a_help_desks_export_is_read(
    tmp_path: Path, ticket: dict[str, Any], expected: tuple[str, ...], rounds: int, lines: bool
) -> None:
    name = "log.jsonl" if lines else "log.json"
    path = written(tmp_path, name, json.dumps(ticket) if lines else json.dumps({"tickets": [ticket]}, indent=1))
    (batch,), told = read(path)
    assert (batch.ids[0], batch.customers[0], batch.subjects[0], batch.texts[0]) == expected
    assert (batch.days[0], batch.rounds[0]) == (DAY, rounds)
    assert told.problems == []
    assert preview(path).columns == ("id", "customer", "created_at", "subject", "text", "turns")


def test_a_conversation_that_the_company_opened_has_the_customers_first_words() -> None:
    source = {**INTERCOM["source"], "author": {"type": "admin", "id": "9"}}  # type: ignore[dict-item]
    row = flat({**INTERCOM, "source": source})
    assert (row["text"], row["customer"]) == ("Thanks", "6762f0dd")


@pytest.mark.parametrize(
    "row",
    [
        {"source": "email", "text": "x"},
        {"requester_id": 4, "description": "x"},
        {"ticket": {"a": 1}, "b": 2, "c": 3},
        ONE,
    ],
)
def test_json_of_another_shape_keeps_its_keys(row: dict[str, Any]) -> None:
    assert flat(row) == row


@pytest.mark.parametrize(
    "odd",
    [
        {"source": {}},
        {"source": {"body": 5, "author": "x"}, "conversation_parts": [1, None]},
        {"helpdesk_ticket": {"requester_id": None, "notes": 3}},
        {"requester": {"id": 1}, "via": 1, "comments": [{}, 2]},
        {"conversation_message": {"author": []}},
    ],
)
def test_a_broken_export_raises_nothing(odd: dict[str, Any]) -> None:
    assert isinstance(flat(odd), dict)


def test_html_becomes_what_a_reader_sees() -> None:
    html = "<html><head><style>p{}</style></head><body><p>One&nbsp;<b>two</b><br>three</p><ul><li>a</li><li>b</li></ul>"
    assert html_text(html) == "One two\nthree\n\na\n\nb"
    assert html_text("<p>open <b>never closed") == "open never closed"
