"""The report as a workbook for finance: money as numbers, all digits beside them, provenance and price date on every sheet."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from playground.money import Total
from playground.report.model import Cell, Column, Figure, Quote, Report, Table, shown
from playground.report.redaction import legible
from playground.safe_cells import safe

FORMATS = {"money": '"$"#,##0.000000', "number": "#,##0.####", "share": "0.0%", "text": "@"}
MOST_CHARACTERS = 32_000
"""A cell holds 32,767."""
HEAD_ROW = 4
"""Over it stand the title and where the numbers come from."""
_WIDEST = 60
LONGEST_FOOTER = 255
"""Excel repairs a workbook whose printed footer is longer, its codes included."""
FOOTER_CODES = "&L&R&P / &N"


def as_xlsx(report: Report) -> bytes:
    """The workbook's bytes."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    book.properties.creator, book.properties.title = "Ticket Playground", _text(report.headline)
    for name, table in _sheets(report):
        _sheet(book.create_sheet(name), report, table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheets(report: Report) -> Iterator[tuple[str, Table]]:
    yield "Summary", _summary(report)
    for table in report.tables():
        if table.sheet and table.place != "page":
            yield ("Sums" if table.sheet == "Summary" else table.sheet), table
    quotes = [b for s in report.sections for b in s.blocks if isinstance(b, Quote)]
    if quotes:
        columns = (Column("What"), Column("Text"))
        yield "Ticket", Table("The ticket and the answers", columns, tuple((q.title, q.text) for q in quotes))


def _summary(report: Report) -> Table:
    """The headline's figures, then its sentences and what is missing or left out."""
    said = [*report.answer, *report.missing, *report.withheld]
    rows: list[tuple[Cell, ...]] = [(f.label, _amount(f), f.note) for f in report.figures]
    rows += [(sentence, "", "") for sentence in said]
    columns = (Column("What"), Column("USD", "money", exact=True), Column("Note"))
    return Table(report.headline, columns, tuple(rows))


def _amount(figure: Figure) -> Cell:
    return figure.amount


def _sheet(sheet: Any, report: Report, table: Table) -> None:
    from openpyxl.styles import Alignment, Font

    for line, text in enumerate((table.title, report.footer, table.note), 1):
        _say(sheet.cell(line, 1), _text(text))
    sheet["A1"].font = Font(bold=True, size=13)
    columns = [*_widened(table.columns)]
    for i, (title, _, _) in enumerate(columns, 1):
        _say(cell := sheet.cell(HEAD_ROW, i), title)
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    for r, row in enumerate(table.rows, HEAD_ROW + 1):
        for i, (_, kind, source) in enumerate(columns, 1):
            _write(sheet.cell(r, i), row[source], kind)
    _set_up(sheet, report, columns)


def _widened(columns: Sequence[Column]) -> Iterator[tuple[str, str, int]]:
    """Title, kind and source of every column of the sheet: exact money has one more."""
    for i, column in enumerate(columns):
        yield _text(column.title), column.kind, i
        if column.exact:
            yield _text(f"{column.title}, exact"), "exact", i


def _write(cell: Any, value: Cell, kind: str) -> None:
    from openpyxl.styles import Alignment

    number = value.exact_usd if isinstance(value, Total) else value
    if kind == "exact":
        _say(cell, exact(number) if isinstance(number, Decimal) else "")
    elif isinstance(number, int | float | Decimal) and not isinstance(number, bool) and kind != "text":
        cell.value, cell.number_format = number, FORMATS[kind]
    else:
        said = shown(value, "money" if kind == "money" else "text")
        _say(cell, _text(said))
        cell.alignment = Alignment(wrap_text=len(said) > _WIDEST, vertical="top")


def _say(cell: Any, text: str) -> None:
    """Text that stays text, also where it reads like an error such as #N/A."""
    if text:
        cell.value = text
        cell.data_type = "s"


def exact(amount: Decimal) -> str:
    """All digits, without an exponent or trailing zeros."""
    return f"{amount.normalize():f}"


def _text(text: str) -> str:
    return safe(legible(text)[:MOST_CHARACTERS])


def _set_up(sheet: Any, report: Report, columns: Sequence[tuple[str, str, int]]) -> None:
    """Frozen head, widths, and a printed footer on every page."""
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = f"A{HEAD_ROW + 1}"
    sheet.print_title_rows = f"1:{HEAD_ROW}"
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    # In a header or footer an ampersand begins a code.
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = _text(report.short_footer).replace("&", "&&"), "&P / &N"
    assert len(sheet.oddFooter.left.text) + len(FOOTER_CODES) <= LONGEST_FOOTER
    for i in range(1, len(columns) + 1):
        longest = max(
            (len(str(c.value)) for c in sheet[get_column_letter(i)][HEAD_ROW - 1 :] if c.value is not None), default=8
        )
        sheet.column_dimensions[get_column_letter(i)].width = min(_WIDEST, max(10, longest + 2))
