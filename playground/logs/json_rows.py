"""The tickets of JSON: one on each line, or a stream of lists, pages and objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.scanner import make_scanner
from pathlib import Path
from typing import Any

from playground.logs.columns import Row
from playground.logs.help_desks import flat
from playground.logs.json_events import LISTS, TICKET_KEYS, Refused, tickets
from playground.logs.lines import lines, marked_encoding
from playground.logs.log_read import LogRead
from playground.logs.utf8_bytes import Utf8Bytes

_FIRST_LINE = 4 * 1024 * 1024
_BLOCK = 64 * 1024
_scan = make_scanner(json.JSONDecoder(strict=False))  # type: ignore[arg-type]


def json_rows(path: Path, read: LogRead) -> Iterator[tuple[int, Row]]:
    """Each ticket with its line, or with its number in the stream."""
    if _is_lines(path):
        yield from _line_rows(path, read)
        return
    read.unit = "ticket"
    yield from _stream_rows(path, read)


def _is_lines(path: Path) -> bool:
    """Whether the first line is an object of its own; a list, a page with a list or an open brace is a stream."""
    with path.open("rb") as file:
        first = b""
        while not first.strip() and (line := file.readline(_FIRST_LINE)):
            first = line
        encoding = marked_encoding(first)
        if encoding not in ("utf-8", "utf-8-sig"):
            return path.suffix.lower() != ".json"
        try:
            found = _loads(first.decode(encoding, "replace").replace("\0", ""))
        except (ValueError, RecursionError):
            return path.suffix.lower() != ".json" and not first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    if isinstance(found, dict):
        return not is_page(found)
    return path.suffix.lower() != ".json" and not isinstance(found, list)


def is_page(found: Row) -> bool:
    """Whether an object holds a list of tickets, and is not a ticket with a list of its own."""
    return TICKET_KEYS.isdisjoint(found) and any(isinstance(found.get(key), list) for key in LISTS)


def _line_rows(path: Path, read: LogRead) -> Iterator[tuple[int, Row]]:
    for number, line in lines(path, read):
        try:
            row = _loads(line)
        except (ValueError, RecursionError) as error:
            if line.strip():
                read.lose(number, f"this is not a JSON object ({_why(error)}).")
            continue
        if type(row) is dict:
            yield number, flat(row)
        else:
            read.lose(number, "this is not a JSON object.")


def _loads(line: str) -> Any:
    """`json.loads`, with control characters let through, and without what it does around each call."""
    line = line.strip()
    try:
        found, end = _scan(line, 0)
    except StopIteration as stop:
        raise json.JSONDecodeError("there is no value", line, stop.value) from None
    if end != len(line):
        raise json.JSONDecodeError("something follows the object", line, end)
    return found


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return (
        f"{error.msg}, character {error.colno}" if isinstance(error, json.JSONDecodeError) else "a number is too long"
    )


def _stream_rows(path: Path, read: LogRead) -> Iterator[tuple[int, Row]]:
    import ijson

    number = 0
    with path.open("rb") as file:
        source = Utf8Bytes(file, path.stat().st_size, read)
        # Without `use_float` the C parser ends the process at an integer of 5,000 digits.
        events = iter(ijson.basic_parse(source, use_float=True, multiple_values=True, buf_size=_BLOCK))
        try:
            for number, found in enumerate(tickets(events), 1):
                if type(found) is dict:
                    yield number, flat(found)
                else:
                    read.lose(number, found if type(found) is Refused else "this is not a JSON object.")
        except ijson.JSONError as error:
            read.lose(
                number + 1, f"the JSON breaks off or is not valid here ({_reason(error)}). What came before it is kept."
            )


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return text.splitlines()[0].strip() if text.strip() else "unknown"
