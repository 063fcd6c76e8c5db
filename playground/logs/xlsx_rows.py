"""The rows of an XLSX workbook's first sheet that has any, checked before it is unpacked."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from playground.errors import BadTicket
from playground.logs.columns import Row
from playground.logs.csv_rows import unique
from playground.logs.log_read import LogRead

MOST_BYTES = 2 * 1024**3
LARGE_BYTES = 200 * 1024**2
MOST_RATIO = 200
MOST_WHOLE_BYTES = 512 * 1024**2
_READ_WHOLE = frozenset(("xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml", "[Content_Types].xml"))
_MOST_ROWS = 1_048_576
_EVERY = 1_000


def xlsx_rows(path: Path, read: LogRead) -> Iterator[tuple[int, Row]]:
    """Each row with its number in the sheet."""
    read.unit = "row"
    with path.open("rb") as file:
        _check_members(file, read.file)
        book = _opened(file, read.file)
        try:
            yield from _first_with_rows(book.worksheets, read)
        finally:
            book.close()


def _check_members(file: IO[bytes], name: str) -> None:
    """Refuse a zip that unpacks to more than it should. `zipfile` itself never reads past a member's declared size."""
    try:
        members = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise BadTicket(
            f"{name}: this is not a whole XLSX workbook ({error}). Save it again and load it anew."
        ) from None
    for member in members:
        most = MOST_WHOLE_BYTES if member.filename in _READ_WHOLE else MOST_BYTES
        packed = member.file_size > LARGE_BYTES and member.file_size > MOST_RATIO * max(1, member.compress_size)
        if packed or member.file_size > most:
            raise BadTicket(
                f"{name}: {member.filename[:60]} unpacks to {member.file_size:,} bytes; so large a sheet is not read. Save the "
                "log as CSV."
            )


def _opened(file: IO[bytes], name: str) -> Any:
    # openpyxl warns of every style and extension that it does not know; none bears on the cells.
    warnings.filterwarnings("ignore", module="openpyxl")
    import openpyxl

    try:
        return openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever a broken part leads to
        raise BadTicket(f"{name}: this XLSX workbook cannot be read ({_short(error)}). Save the log as CSV.") from None


def _first_with_rows(sheets: Sequence[Any], read: LogRead) -> Iterator[tuple[int, Row]]:
    for sheet in sheets:
        found = False
        for row in _sheet_rows(sheet, read):
            found = True
            yield row
        if found or read.problems:
            return


Numbered = tuple[int, Sequence[object]]
_MOST_TITLE_ROWS = 10


def _sheet_rows(sheet: Any, read: LogRead) -> Iterator[tuple[int, Row]]:
    names: list[str] = []
    rows = ((number, cells) for number, cells in _cells(sheet, read) if _filled(cells))
    for number, cells in _from_header(rows, read):
        if names:
            yield number, dict(zip(names, cells, strict=False))
        else:
            names = unique(["" if cell is None else str(cell).strip() for cell in cells])


def _from_header(rows: Iterator[Numbered], read: LogRead) -> Iterator[Numbered]:
    """The rows without a title above the names: a row of one or two cells, over one of at least twice as many and three."""
    first = list(islice(rows, _MOST_TITLE_ROWS))
    widest = max((_filled(cells) for _, cells in first), default=0)
    start = next((i for i, (_, cells) in enumerate(first) if 2 * _filled(cells) > widest), 0) if widest >= 3 else 0
    if start:
        read.remark(
            f"{read.file}: the names of the columns are read from row {first[start][0]}; what stands above is left out."
        )
    yield from chain(first[start:], rows)


def _filled(cells: Sequence[object]) -> int:
    return sum(cell not in (None, "") for cell in cells)


def _cells(sheet: Any, read: LogRead) -> Iterator[tuple[int, Sequence[object]]]:
    rows = sheet.max_row or 0
    number = 0
    try:
        # A sheet's own word on its size is often wrong, and would cut rows off.
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            if number > _MOST_ROWS:
                read.lose(number, "a sheet has no more rows than this; the rest is not read.")
                return
            if number % _EVERY == 0 and rows:
                read.share = min(1.0, number / rows)
            yield number, cells
    except Exception as error:  # as above; a generator's own end is no Exception
        read.lose(number + 1, f"the sheet cannot be read from here on ({_short(error)}). What came before it is kept.")


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}".rstrip(": ").replace("\n", " ")
