"""Cells of an export that no spreadsheet runs as a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, or skips before one; the last four are the full-width = + - @."""


def safe(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


_PARTED = re.compile(rf'([;\t\r\n])(?=["\s]*[{re.escape("".join(FORMULA_STARTS))}])')


def csv_line(cells: Iterable[object]) -> str:
    """One line of CSV: every text is in quotes and safe, numbers are not in quotes, and `None` is empty.

    Where commas stand in decimals a spreadsheet parts cells at semicolons, takes no note of quotes inside them, and so sees new
    cells and lines in the middle of a text: an apostrophe goes before what begins like a formula there, too.
    """
    return f"{','.join(map(_cell, cells))}\r\n"


def _cell(cell: object) -> str:
    if isinstance(cell, str):
        return '"' + _PARTED.sub(r"\1'", safe(cell)).replace('"', '""') + '"'
    return "" if cell is None else f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
