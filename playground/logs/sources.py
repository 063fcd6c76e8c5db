"""A log's rows by the kind of its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from playground.errors import BadTicket
from playground.logs.columns import Row
from playground.logs.csv_rows import csv_rows
from playground.logs.json_rows import json_rows
from playground.logs.log_read import LogRead
from playground.logs.xlsx_rows import xlsx_rows

KINDS: dict[str, Callable[[Path, LogRead], Iterator[tuple[int, Row]]]] = {
    ".csv": csv_rows,
    ".tsv": csv_rows,
    ".jsonl": json_rows,
    ".ndjson": json_rows,
    ".json": json_rows,
    ".xlsx": xlsx_rows,
}
"""How each kind of file is read."""
_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"


def log_rows(path: Path, read: LogRead) -> Iterator[tuple[int, Row]]:
    """Each row with its number. Raises `BadTicket` where the file cannot be read at all."""
    read.file = path.name
    try:
        yield from _reader(path)(path, read)
    except OSError as error:
        raise BadTicket(f"{path}: cannot be read: {error.strerror or error}.") from None
    read.share = 1.0


def _reader(path: Path) -> Callable[[Path, LogRead], Iterator[tuple[int, Row]]]:
    suffix = path.suffix.lower()
    if path.is_dir():
        raise BadTicket(f"{path.name}: this is a folder. Give the file of the log.")
    if suffix not in (*KINDS, ".xls"):
        raise BadTicket(f"{path.name}: this kind of file is not read as a log. Give {', '.join(KINDS)}.")
    with path.open("rb") as file:
        head = file.read(4)
    if head == _OLE or suffix == ".xls":
        raise BadTicket(
            f"{path.name}: an old .xls workbook, or one with a password, cannot be read. Save it as .xlsx without a password, "
            "or as CSV."
        )
    if head[:2] == _GZIP:
        raise BadTicket(f"{path.name}: the file is packed. Unpack it and give the file inside.")
    return xlsx_rows if head == _ZIP else KINDS[suffix]
