"""The rows of a CSV or TSV file. A quotation mark that is never closed costs its own line, not the rest of the file."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from playground.logs.columns import Row
from playground.logs.lines import LONGEST, lines
from playground.logs.log_read import LogRead

_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"[^"]*"')
_NAMES_OF = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SEP = re.compile(r'"?sep=([,;\t|])"?\s*$', re.IGNORECASE)
_MOST_COLUMNS = 20_000


def csv_rows(path: Path, read: LogRead) -> Iterator[tuple[int, Row]]:
    """Each row with the number of its first line."""
    # A field over the limit raises: this is what ends the search for a closing quotation mark.
    csv.field_size_limit(LONGEST)
    records = _Records(lines(path, read), read)
    header = next(records, None)
    if header is None:
        return
    names = unique([name.strip() for name in header[1]])
    for number, cells in records:
        if len(cells) > len(names):
            read.note(number, "more cells than columns; the rest is not read.")
        yield number, dict(zip(names, cells, strict=False))


def unique(names: list[str]) -> list[str]:
    """Names for columns: none empty, none twice."""
    seen: set[str] = set()
    found = []
    for place, name in enumerate(names[:_MOST_COLUMNS], 1):
        name = name or f"column {place}"
        name = name if name not in seen else next(n for i in count(2) if (n := f"{name} ({i})") not in seen)
        seen.add(name)
        found.append(name)
    return found


class _Records:
    """Records with the number of their first line; what the strict reader refuses is read again, line by line."""

    def __init__(self, source: Iterator[tuple[int, str]], read: LogRead) -> None:
        self._source = source
        self._read = read
        self._back: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []
        self._delimiter = self._found_delimiter()
        self._reader = self._new_reader()

    def __iter__(self) -> _Records:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            self._taken.clear()
            if cells := self._record():
                return self._taken[0][0], cells

    def _record(self) -> list[str] | None:
        try:
            return next(self._reader)
        except csv.Error as error:
            return self._recovered(error)

    def _found_delimiter(self) -> str:
        """What stands between the columns' names: names seldom hold any of the others."""
        first = next(self._source, None)
        while first is not None and not first[1].strip():
            first = next(self._source, None)
        if first is None:
            return ","
        said = _SEP.match(first[1])
        if not said:
            self._back.append(first)
        outside = _QUOTED.sub("", first[1])
        found = said[1] if said else max(_DELIMITERS, key=outside.count)
        if found != ",":
            self._read.remark(f"{self._read.file}: {_NAMES_OF[found]} stand between the columns.")
        return found

    def _new_reader(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), delimiter=self._delimiter, strict=True)

    def _feed(self) -> Iterator[str]:
        size = 0
        while True:
            line = self._back.popleft() if self._back else next(self._source, None)
            if line is None:
                return
            size = size + len(line[1]) if self._taken else len(line[1])
            self._taken.append(line)
            if size > LONGEST:
                raise csv.Error("the row is too long")
            yield line[1]

    def _recovered(self, error: csv.Error) -> list[str] | None:
        (number, line), *rest = self._taken
        self._back.extendleft(reversed(rest))
        self._reader = self._new_reader()
        del self._taken[1:]
        if rest or "unexpected end" in str(error):
            self._read.lose(
                number,
                "a quotation mark is opened here and never closed in its place. The row is left out, and reading goes on at "
                "the next line. Double the quotation marks inside a cell.",
            )
            return None
        return self._as_it_stands(number, line)

    def _as_it_stands(self, number: int, line: str) -> list[str] | None:
        try:
            cells = next(csv.reader([line.replace("\r", " ")], delimiter=self._delimiter), None)
        except csv.Error as error:
            self._read.lose(number, f"this is not valid CSV ({error}).")
            return None
        self._read.note(number, "a quotation mark inside a cell is not doubled; the row is read as it stands.")
        return cells
