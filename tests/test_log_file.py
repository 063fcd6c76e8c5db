"""A ticket export: what is guessed, what is left out, and that a bad row is named by its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.errors import BadTicket
from playground.log_file import BATCH, Columns, LogRead, guess, read_log
from playground.log_tickets import LogTickets


def read(path: Path, columns: Columns | None = None) -> tuple[list[LogTickets], LogRead]:
    told = LogRead()
    return list(read_log(path, columns, told)), told


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Ticket ID,Requester,Subject,Description", Columns("Description", "Ticket ID", "Requester", "Subject")),
        ("id,customer_id,created_at,text", Columns("text", "id", "customer_id", None)),
        ("body", Columns("body")),
        ("MESSAGE,email", Columns("MESSAGE", None, "email", None)),
    ],
)
def test_columns_are_guessed_from_their_names(header: str, expected: Columns) -> None:
    assert guess(dict.fromkeys(header.split(","), ""), "log.csv") == expected


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_is_read_whatever_stands_between_its_columns(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "customer", "text"], ["a", "acme", '"Where is my\ninvoice?"'], ["b", "", "Second"]]
    (batch,), told = read(written(tmp_path, "log.csv", "\n".join(delimiter.join(r) for r in rows)))
    assert batch.ids == ("a", "b")
    assert batch.texts == ("Where is my\ninvoice?", "Second")
    assert batch.customers == ("acme", "")
    assert told.problems == []


def test_json_lines_are_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    lines = [json.dumps({"id": 7, "text": "Hello"}), "{broken", "[1]", "", json.dumps({"text": "No id"})]
    (batch,), told = read(written(tmp_path, "log.jsonl", "\n".join(lines)))
    assert batch.ids == ("7", "line 5")
    assert told.left_out == 2
    assert told.problems == [
        "log.jsonl, line 2: this is not a JSON object.",
        "log.jsonl, line 3: this is not a JSON object.",
    ]


def test_rows_without_text_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "id,text\na,\nb,Hello\nc,  \u200b \n"))
    assert batch.ids == ("b",)
    assert [p.split(": ")[0] for p in told.problems] == ["log.csv, line 2", "log.csv, line 4"]


def test_ids_given_twice_are_kept_apart_and_said(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "id,text\na,One\na,Two\n"))
    assert batch.ids == ("a", "a (line 3)")
    assert "stood before" in told.problems[0]
    assert told.left_out == 0


def test_mixed_encodings_are_read_line_by_line_and_said(tmp_path: Path) -> None:
    content = "id,text\na,Grüße\n".encode() + "b,Grüße\n".encode("cp1252")
    (batch,), told = read(written(tmp_path, "log.csv", content))
    assert batch.texts == ("Grüße", "Grüße")
    assert told.problems == ["log.csv, line 3: not UTF-8; read as Windows-1252."]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_understood(tmp_path: Path, encoding: str) -> None:
    (batch,), _ = read(written(tmp_path, "log.csv", "id,text\r\na,Grüße 中\r\n".encode(encoding)))
    assert batch.texts == ("Grüße 中",)


def test_ten_megabytes_in_one_cell_are_left_out_and_named(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", f"id,text\na,{'x' * 10_000_000}\nb,Hello\n"))
    assert batch.ids == ("b",)
    assert "line 2" in told.problems[0]


def test_a_long_file_comes_in_batches_and_can_be_left_half_way(tmp_path: Path) -> None:
    path = written(tmp_path, "log.csv", "text\n" + "Hello\n" * (BATCH + 1))
    batches, told = read(path)
    assert [len(b.ids) for b in batches] == [BATCH, 1]
    assert told.rows == BATCH + 1
    stopped = LogRead()
    assert len(next(read_log(path, None, stopped)).ids) == BATCH
    assert stopped.rows == BATCH


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("log.csv", "", "the file has no rows"),
        ("log.csv", "id,text\n", "the file has no rows"),
        ("log.csv", "a,b\n1,2\n", "no column looks like the ticket's text. Columns: a, b"),
        ("log.docx", "x", "this kind of file is not read as a log"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_one_sentence(tmp_path: Path, name: str, content: str, said: str) -> None:
    with pytest.raises(BadTicket) as refused:
        read(written(tmp_path, name, content))
    assert said in str(refused.value)


def test_a_file_that_is_not_there_and_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadTicket, match="cannot be read"):
        read(tmp_path / "none.csv")
    with pytest.raises(BadTicket, match="there is no column 'Body'"):
        read(written(tmp_path, "log.csv", "text\nHello\n"), Columns("Body"))


def test_a_row_with_more_cells_than_columns_is_read_and_said(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "id,text\na,Hello,extra\n"))
    assert batch.texts == ("Hello",)
    assert "more cells than columns" in told.problems[0]
