"""Workbooks: read by their first sheet with rows, and checked before they are unpacked."""

from __future__ import annotations

import gc
import warnings
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from playground.errors import BadTicket
from playground.logs import BATCH, LogRead, preview, read_log, xlsx_rows
from tests.logs_helpers import read, reasons

DAY = datetime(2026, 11, 24, 10, 11)
SHEET = "xl/worksheets/sheet1.xml"


def workbook(path: Path, *sheets: Sequence[Sequence[Any]]) -> Path:
    book = openpyxl.Workbook(write_only=True)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def sized(path: Path, area: str) -> Path:
    """The same workbook with the size that Excel writes, and openpyxl does not when it streams."""
    return rewritten(
        path, SHEET, lambda xml: xml.replace(b"<sheetData>", b'<dimension ref="%s"/><sheetData>' % area.encode(), 1)
    )


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """The same workbook with one part changed."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, change(content) if name == part else content)
    return path


ROWS = [("id", "text", "created_at", "turns"), (1, "One", DAY, 3), (2, "Two", "24.11.2026", None)]


def test_the_first_sheet_with_rows_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "log.xlsx", [], [("only a header",)], ROWS, [("text",), ("other",)])
    (batch,), told = read(path)
    assert batch.ids == ("1", "2")
    assert batch.texts == ("One", "Two")
    assert batch.days.tolist() == [date(2026, 11, 24).toordinal()] * 2
    assert batch.rounds.tolist() == [2, 0]
    assert told.share == 1.0
    assert preview(path).columns == ("id", "text", "created_at", "turns")


def test_blank_rows_are_passed_over_and_a_bad_one_is_named_by_its_row(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "log.xlsx", [[], ["id", "text"], ["a", "One"], [None, None], ["b", None], ["c", "Three"]]
    )
    (batch,), told = read(path)
    assert batch.ids == ("a", "c")
    assert reasons(told) == ["log.xlsx, row 5: the ticket has no text."]


def test_a_formula_is_read_by_its_stored_value_and_is_no_text_without_one(tmp_path: Path) -> None:
    path = workbook(tmp_path / "log.xlsx", [["id", "text"], ["a", '="x"&"y"'], ["b", "Hello"], ["c", "=1+1"]])
    rewritten(
        path,
        SHEET,
        lambda xml: xml.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>").replace(
            b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>"
        ),
    )
    (batch,), told = read(path)
    assert batch.texts == ("Hello", "2")
    assert [p.line for p in told.problems] == [2]


def test_a_sheet_that_tells_a_wrong_size_is_read_whole(tmp_path: Path) -> None:
    path = sized(workbook(tmp_path / "log.xlsx", ROWS), "A1:A1")
    (batch,), _ = read(path)
    assert batch.texts == ("One", "Two")


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_a_workbook_that_is_cut_off_is_refused(tmp_path: Path, kept: float) -> None:
    path = workbook(tmp_path / "log.xlsx", ROWS)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * kept)])
    with pytest.raises(BadTicket, match=r"log\.xlsx: this is not a whole XLSX workbook"):
        read(path)


@pytest.mark.parametrize("name", ["[Content_Types].xml", "xl/workbook.xml", SHEET])
def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path, name: str) -> None:
    path = workbook(tmp_path / "log.xlsx", ROWS)
    rewritten(path, name, lambda xml: b"<no xml")
    with pytest.raises(BadTicket, match=r"log\.xlsx"):
        read(path)


def test_what_came_before_a_break_in_the_sheet_is_kept(tmp_path: Path) -> None:
    path = sized(workbook(tmp_path / "log.xlsx", [["text"], *([f"Ticket {i}"] for i in range(20_000))]), "A1:A20001")
    rewritten(path, SHEET, lambda xml: xml[: len(xml) // 2])
    batches, told = read(path)
    assert 5_000 < sum(len(b.ids) for b in batches) < 15_000
    assert "cannot be read from here on" in reasons(told)[-1]
    assert told.left_out == 1


BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">%s]><worksheet
xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&h;</t>
</is></c></row></sheetData></worksheet>""" % b"".join(
    b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 60) for i in range(7)
)


def test_a_bomb_of_entities_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "log.xlsx", ROWS)
    rewritten(path, SHEET, lambda xml: BOMB)
    with pytest.raises(BadTicket, match="cannot be read"):
        read(path)


def test_a_bomb_of_zeros_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path / "log.xlsx", ROWS)
    rewritten(path, SHEET, lambda xml: xml + b" " * (xlsx_rows.LARGE_BYTES + 1))
    with pytest.raises(BadTicket, match=r"sheet1\.xml unpacks to 209,"):
        read(path)


def test_a_part_that_is_read_whole_has_a_lower_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "log.xlsx", ROWS)
    monkeypatch.setattr(xlsx_rows, "MOST_WHOLE_BYTES", 10)
    with pytest.raises(BadTicket, match="Save the log as CSV"):
        read(path)


def test_a_row_number_beyond_a_sheet_ends_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_rows, "_MOST_ROWS", 1_000)
    path = workbook(tmp_path / "log.xlsx", ROWS)
    rewritten(path, SHEET, lambda xml: xml.replace(b'r="3"', b'r="99999999999"'))
    (batch,), told = read(path)
    assert batch.ids == ("1",)
    assert told.problems[0].line == 1_001


def test_a_reading_that_is_stopped_half_way_closes_its_file(tmp_path: Path) -> None:
    path = sized(workbook(tmp_path / "log.xlsx", [["text"], *([["Hello"]] * 3 * BATCH)]), f"A1:A{3 * BATCH + 1}")
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
    assert 0.3 < told.share < 0.4
