"""A cell of an export is text to a spreadsheet, whatever it begins with and wherever a locale parts cells."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playground.safe_cells import csv_line, safe


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_begins_like_a_formula(start: str) -> None:
    assert safe(f"{start}cmd|'/C calc'!A0").startswith("'")
    assert csv_line([f"{start}cmd"]).startswith("\"'")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@given(st.lists(st.text(st.sampled_from("=@a;\n\"',\t ")), min_size=1))
@example(["Acme;=cmd|'/C calc'!A0", "other;=cmd", 'say ";=1"', '";"=1'])
def test_no_cell_does_in_a_spreadsheet_that_parts_them_elsewhere(delimiter: str, cells: list[str]) -> None:
    line = csv_line(cells)
    found = [cell for row in csv.reader(io.StringIO(line, newline=""), delimiter=delimiter) for cell in row]
    assert not any(cell.lstrip().startswith(("=", "@")) for cell in found)


def test_numbers_are_bare_and_nothing_is_empty() -> None:
    assert csv_line(["a", Decimal("1E-12"), 3, None]) == '"a",0.000000000001,3,\r\n'


@given(st.lists(st.text(st.sampled_from("ab,\"'=\U0001f600")).map(safe), min_size=1))
def test_every_text_comes_back_from_a_line(cells: list[str]) -> None:
    assert list(csv.reader(io.StringIO(csv_line(cells), newline=""))) == [cells]
