"""A ticket export, streamed: CSV or JSON lines into batches of tickets; a bad row is named and left out.

A line that is not UTF-8 is read as Windows-1252, which is what spreadsheets write, and that is said. Columns are guessed from
their names and can be set.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from playground.errors import BadTicket
from playground.log_tickets import LogTickets
from playground.tickets import MAX_CHARS, clean

BATCH = 5_000
MAX_PROBLEMS = 1_000
"""Named rows that are kept; more are counted."""
_SNIFFED_CHARS = 64 * 1024
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "ticket_id", "ticket id", "ticketid", "number", "case number", "conversation_id"),
    "customer": (
        "customer",
        "customer_id",
        "customer id",
        "requester",
        "requester_id",
        "requester id",
        "contact_id",
        "user_id",
        "email",
    ),
    "subject": ("subject", "title", "summary", "ticket subject"),
    "text": (
        "text",
        "body",
        "message",
        "description",
        "description_text",
        "first_message",
        "content",
        "question",
        "comment",
    ),
}
FIELDS = tuple(_NAMES)
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what; `None` where there is none. Only `text` is needed."""

    text: str
    id: str | None = None
    customer: str | None = None
    subject: str | None = None


@dataclass
class LogRead:
    """How a file was read; filled while its batches are taken."""

    columns: Columns | None = None
    rows: int = 0
    left_out: int = 0
    problems: list[str] = field(default_factory=list)

    def leave_out(self, problem: str) -> None:
        """Count a row that is not used, and keep its sentence."""
        self.left_out += 1
        self.note(problem)

    def note(self, problem: str) -> None:
        """Keep a sentence about a row."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


def read_log(path: Path, columns: Columns | None = None, read: LogRead | None = None) -> Iterator[LogTickets]:
    """The file's tickets in batches of `BATCH`. `read` is told what was left out, row by row.

    Raises `BadTicket` where the file cannot be read at all: not there, empty, no column of text, another kind of file.
    """
    read = read if read is not None else LogRead()
    rows = _rows(path, read)
    first = next(rows, None)
    if first is None:
        raise BadTicket(f"{path.name}: the file has no rows. It needs a line of column names and a ticket below it.")
    read.columns = _checked(columns, first[1], path.name) if columns else guess(first[1], path.name)
    yield from _batches(chain([first], rows), read.columns, read, path.name)
    if read.left_out == read.rows:
        raise BadTicket(f"{path.name}: none of {read.rows:,} rows can be used. The first: {read.problems[0]}")


def guess(row: Row, file: str) -> Columns:
    """Columns by their names. Raises `BadTicket` where none looks like a ticket's text."""
    by_name = {name.strip().lower().replace("-", "_"): name for name in row}
    found = {f: next((by_name[n] for n in names if n in by_name), None) for f, names in _NAMES.items()}
    text = found.pop("text")
    if text is None:
        raise BadTicket(
            f"{file}: no column looks like the ticket's text. Columns: {', '.join(map(str, row))[:300]}. Name one of them "
            f"{', '.join(_NAMES['text'][:4])}, or say which one it is."
        )
    return Columns(text, **found)


def _checked(columns: Columns, row: Row, file: str) -> Columns:
    for name in (columns.text, columns.id, columns.customer, columns.subject):
        if name is not None and name not in row:
            raise BadTicket(f"{file}: there is no column {name!r}. Columns: {', '.join(map(str, row))[:300]}.")
    return columns


def _batches(rows: Iterable[tuple[int, Row]], columns: Columns, read: LogRead, file: str) -> Iterator[LogTickets]:
    kept: list[tuple[str, str, str, str]] = []
    seen: set[str] = set()
    for line, row in rows:
        read.rows += 1
        ticket = _ticket(line, row, columns, read, seen, file)
        if ticket is not None:
            kept.append(ticket)
        if len(kept) == BATCH:
            yield _columns(kept)
            kept = []
    if kept:
        yield _columns(kept)


def _ticket(
    line: int, row: Row, columns: Columns, read: LogRead, seen: set[str], file: str
) -> tuple[str, str, str, str] | None:
    text, _ = clean(_cell(row, columns.text))
    if not text:
        read.leave_out(f"{file}, line {line}: the ticket has no text.")
        return None
    if len(text) > MAX_CHARS:
        read.leave_out(f"{file}, line {line}: {len(text):,} characters; at most {MAX_CHARS:,} are read.")
        return None
    name = _cell(row, columns.id).strip() or f"line {line}"
    if name in seen:
        read.note(
            f"{file}, line {line}: the id {name[:60]!r} stood before; it is counted as {name[:60]} (line {line})."
        )
        name = f"{name} (line {line})"
    seen.add(name)
    return name, text, " ".join(_cell(row, columns.subject).split())[:300], _cell(row, columns.customer).strip()


def _columns(kept: list[tuple[str, str, str, str]]) -> LogTickets:
    ids, texts, subjects, customers = zip(*kept, strict=True)
    return LogTickets(ids, texts, subjects, customers)


def _cell(row: Row, column: str | None) -> str:
    value = row.get(column) if column is not None else None
    return "" if value is None else value if isinstance(value, str) else str(value)


def _rows(path: Path, read: LogRead) -> Iterator[tuple[int, Row]]:
    readers = {".csv": _csv_rows, ".tsv": _csv_rows, ".jsonl": _json_rows, ".ndjson": _json_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadTicket(f"{path.name}: this kind of file is not read as a log. Give {', '.join(readers)}.")
    try:
        yield from reader(path, read)
    except OSError as error:
        raise BadTicket(f"{path}: cannot be read: {error.strerror}.") from None


def _lines(path: Path, read: LogRead) -> Iterator[str]:
    """The file's lines as text; a byte order mark says UTF-16 or UTF-8."""
    with path.open("rb") as file:
        head = file.read(4)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        with path.open(encoding="utf-16", errors="replace", newline="") as text:
            yield from text
        return
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            yield _decoded(raw, number, read, path.name)


def _decoded(raw: bytes, number: int, read: LogRead, file: str) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        read.note(f"{file}, line {number}: not UTF-8; read as Windows-1252.")
        return raw.decode("cp1252", "replace")


def _csv_rows(path: Path, read: LogRead) -> Iterator[tuple[int, Row]]:
    lines = _lines(path, read)
    first = next(lines, "")
    csv.field_size_limit(4 * MAX_CHARS)
    reader = csv.DictReader(chain([first], (line.replace("\x00", "") for line in lines)), delimiter=_delimiter(first))
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            read.rows += 1
            read.leave_out(f"{path.name}, line {reader.line_num + 1}: this is not valid CSV ({error}).")
            continue
        if None in row:
            read.note(f"{path.name}, line {reader.line_num}: more cells than columns; the rest is not read.")
        yield reader.line_num, {k: v for k, v in row.items() if k is not None}


def _delimiter(header: str) -> str:
    """What stands between the columns' names: names seldom hold any of the others."""
    return max(",;\t|", key=header[:_SNIFFED_CHARS].count)


def _json_rows(path: Path, read: LogRead) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(_lines(path, read), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            yield number, row
        else:
            read.rows += 1
            read.leave_out(f"{path.name}, line {number}: this is not a JSON object.")
