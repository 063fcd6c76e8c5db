"""Files that are broken, hostile or in the wrong place: one sentence each, and what can be read is read."""

from __future__ import annotations

import csv
import gc
import json
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadTicket
from playground.logs import BATCH, LogRead, lines, preview, read_log
from playground.logs.lines import guessed_encoding
from tests.logs_helpers import read, reasons, written


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("log.csv", "", "the file has no rows"),
        ("log.csv", "\n\n", "the file has no rows"),
        ("log.csv", "id,text\n", "the file has no rows"),
        ("log.jsonl", "", "the file has no rows"),
        ("log.csv", "a,b\n1,2\n", "no column looks like the ticket's text. Columns: a, b"),
        ("log.csv", "text\n\u200b\n", "none of 1 rows can be used. The first: log.csv, line 2"),
        ("log.docx", "x", "this kind of file is not read as a log"),
        ("log.xls", "x", "old .xls workbook"),
        ("log.xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "with a password"),
        ("log.csv", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "with a password"),
        ("log.csv", b"\x1f\x8b\x08", "Unpack it"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(BadTicket) as refused:
        read(written(tmp_path, name, content))
    assert said in str(refused.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "log.csv").mkdir()
    for call in (read, preview):
        with pytest.raises(BadTicket, match=r"log\.csv: this is a folder"):
            call(tmp_path / "log.csv")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_ten_megabytes_in_one_cell_are_left_out_and_named(tmp_path: Path, kind: str) -> None:
    rows = [{"id": "a", "text": "x" * 10_000_000}, {"id": "b", "text": "Hello"}]
    content = {
        "csv": "id,text\n" + "".join(f"{r['id']},{r['text']}\n" for r in rows),
        "jsonl": "\n".join(map(json.dumps, rows)),
        "json": json.dumps(rows),
    }[kind]
    (batch,), told = read(written(tmp_path, f"log.{kind}", content))
    assert batch.ids == ("b",)
    assert told.problems[0].line == (2 if kind == "csv" else 1)
    assert "10,000,000 characters" in told.problems[0].reason


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 100)
    (batch,), told = read(written(tmp_path, "log.csv", f"text\n{'x' * 1000}\nHello\n"))
    assert batch.texts == ("Hello",)
    assert [(p.line, p.left_out) for p in told.problems] == [(2, True)]


def test_mixed_encodings_are_read_line_by_line_and_said_once(tmp_path: Path) -> None:
    content = "id,text\na,Grüße 中\n".encode() + "b,Grüße\nc,Straße\n".encode("cp1252") + "d,Maß\n".encode()
    (batch,), told = read(written(tmp_path, "log.csv", content))
    assert batch.texts == ("Grüße 中", "Grüße", "Straße", "Maß")
    assert told.problems == []
    assert told.notes == ["log.csv: lines that are not UTF-8 are read as cp1252. The first is line 3."]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_byte_order_mark_is_understood(tmp_path: Path, encoding: str, kind: str) -> None:
    content = "id,text\r\na,Grüße 中\r\n" if kind == "csv" else '{"id": "a", "text": "Grüße 中"}\n'
    (batch,), _ = read(written(tmp_path, f"log.{kind}", content.encode(encoding)))
    assert batch.ids == ("a",)
    assert batch.texts == ("Grüße 中",)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Où est ma facture ? Déjà payée, réglée à l'avance\n" * 3, "cp1252"),
        ("Grüße, ich möchte kündigen\n", "cp1252"),
        ("Привет, где мой счёт? Пожалуйста, помогите\n" * 3, "cp1251"),
        ("お問い合わせありがとうございます。請求書はどこですか\n" * 3, "cp932"),
        ("您好,我的发票在哪里?请帮助我\n" * 3, "gb18030"),
    ],
)
def test_an_encoding_is_guessed_where_its_bytes_tell(text: str, encoding: str) -> None:
    assert guessed_encoding(text.encode(encoding)) == encoding


def test_lines_that_end_in_a_carriage_return_alone(tmp_path: Path) -> None:
    (batch,), _ = read(written(tmp_path, "log.csv", "id,text\ra,Hello\rb,Grüße\r"))
    assert batch.texts == ("Hello", "Grüße")


def test_nul_bytes_are_taken_out_and_said(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", "id,text\na,Hel\0lo\nb,\0Bye\n"))
    assert batch.texts == ("Hello", "Bye")
    assert len(told.notes) == 1


@pytest.mark.parametrize("rest", ["", 'd,"quoted, again"\n', 'd,"quoted, again"\ne,"and ""again"""\n'])
def test_a_quotation_mark_that_is_never_closed_costs_its_own_line(tmp_path: Path, rest: str) -> None:
    content = 'id,text\na,"fine"\nb,"never closed\nc,Hello\n' + rest
    (batch,), told = read(written(tmp_path, "log.csv", content))
    assert batch.ids == tuple("acde"[: 2 + rest.count("\n")])
    assert batch.texts[1] == "Hello"
    assert [(p.line, p.left_out) for p in told.problems] == [(3, True)]
    assert "never closed" in told.problems[0].reason


def test_a_quotation_mark_left_open_before_a_very_long_rest_does_not_swallow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.logs.csv_rows.LONGEST", 10_000)
    (batch,), told = read(written(tmp_path, "log.csv", 'text\n"open\n' + "Hello\n" * 4_000))
    assert len(batch.ids) == 4_000
    assert [p.line for p in told.problems] == [2]


def test_a_quotation_mark_inside_a_cell_is_read_as_it_stands_and_said(tmp_path: Path) -> None:
    (batch,), told = read(written(tmp_path, "log.csv", 'id,text\na,"He said "hi" to me"\nb,Bye\n'))
    assert batch.ids == ("a", "b")
    assert "He said" in batch.texts[0]
    assert [(p.line, p.left_out) for p in told.problems] == [(2, False)]


@given(st.lists(st.text(st.characters(exclude_characters="\0\r", codec="utf-8")), min_size=1, max_size=8))
def test_whatever_a_csv_writer_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("logs") / "log.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text"), *((f"n{i}", f"x{t}x") for i, t in enumerate(texts))])
    (batch,), told = read(path)
    assert len(batch.ids) == len(texts)
    assert told.left_out == 0


@given(st.binary(max_size=400), st.sampled_from(["csv", "tsv", "jsonl", "json", "xlsx"]))
def test_no_bytes_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, raw: bytes, kind: str) -> None:
    path = tmp_path_factory.mktemp("logs") / f"log.{kind}"
    path.write_bytes((b"id,text\n" if kind in ("csv", "tsv") else b"") + raw)
    for call in (read, preview):
        with suppress(BadTicket):
            call(path)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_a_file_that_is_deleted_while_it_is_read_ends_or_says_so(tmp_path: Path, kind: str) -> None:
    rows = [{"text": "Hello"}] * 3 * BATCH
    content = {
        "csv": "text\n" + "Hello\n" * 3 * BATCH,
        "jsonl": "\n".join(map(json.dumps, rows)),
        "json": json.dumps(rows),
    }
    path = written(tmp_path, f"log.{kind}", content[kind])
    told = LogRead()
    batches = read_log(path, None, told)
    next(batches)
    path.unlink()
    assert sum(len(b.ids) for b in batches) == 2 * BATCH


def test_a_file_deleted_before_its_encoding_is_guessed_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "log.csv", b"text\n" + b"Hello\n" * 2 * BATCH + "Grüße\n".encode("cp1252"))
    batches = read_log(path)
    next(batches)
    path.unlink()
    with pytest.raises(BadTicket, match=r"log\.csv: cannot be read"):
        list(batches)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_a_reading_that_is_stopped_half_way_closes_its_file(tmp_path: Path, kind: str) -> None:
    rows = "\n".join([json.dumps({"text": "Hello"})] * 1_000_000)
    content = {"csv": "text\n" + "Hello\n" * 1_000_000, "jsonl": rows, "json": f"[{rows.replace(chr(10), ',')}]"}
    path = written(tmp_path, f"log.{kind}", content[kind])
    told = LogRead()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        batches = read_log(path, None, told)
        next(batches)
        batches.close()
        del batches
        preview(path)
        gc.collect()
    assert [str(w.message) for w in caught] == []
    assert 0 <= told.share < 0.1


def test_a_problem_beyond_the_kept_ones_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.logs.log_read.MAX_PROBLEMS", 2)
    _, told = read(written(tmp_path, "log.csv", "id,text\na,\nb,\nc,\nd,Hello\n"))
    assert (told.left_out, len(reasons(told))) == (3, 2)
