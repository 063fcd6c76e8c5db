"""A log in batches of tickets: each batch is checked column by column, and a bad row is named and left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from playground.errors import BadTicket
from playground.log_tickets import UNKNOWN, LogTickets
from playground.logs.columns import Columns, Row, checked, guess, is_subject, sample
from playground.logs.days import Days, second_of_day
from playground.logs.html_text import html_text, is_html
from playground.logs.log_read import LogRead
from playground.logs.plain import cell_text, cleaned, column_texts
from playground.logs.rounds import one_sided, rounds_of
from playground.logs.satisfaction import satisfaction_of
from playground.logs.sources import log_rows
from playground.tickets import MAX_CHARS

BATCH = 20_000
"""Rows that are read into one batch; those left out are missing from it."""
_PART = 500
"""Rows that are checked at once: few enough to stay in the processor's cache, which halves the time."""
SAMPLED = 1_000
"""Rows whose columns are looked at for a guess."""
_LONGEST_NAME = 300
Numbered = tuple[int, Row]


def read_log(
    path: Path, columns: Columns | None = None, read: LogRead | None = None, times: bool = False
) -> Iterator[LogTickets]:
    """The file's tickets in batches of at most `BATCH`. `read` is told what was left out, row by row.

    With `times` they have their time of day as well, which only what goes by the clock needs.

    Raises `BadTicket` where the file cannot be read at all: not there, empty, no column of text, another kind of file.
    """
    read = read if read is not None else LogRead()
    rows = log_rows(path, read)
    first = list(islice(rows, SAMPLED))
    if not first:
        raise BadTicket(_nothing(read))
    read.columns = _columns(columns, sample(row for _, row in first), read)
    table = _Table(read.columns, read, times)
    table.learn(first)
    yield from _batches(chain(first, rows), table)
    if read.left_out == read.rows:
        raise BadTicket(f"{read.file}: none of {read.rows:,} rows can be used. The first: {read.problems[0].reason}")


def _nothing(read: LogRead) -> str:
    if read.problems:
        return read.problems[0].reason
    return f"{read.file}: the file has no rows. It needs a line of column names and a ticket below it."


def _columns(columns: Columns | None, row: Row, read: LogRead) -> Columns:
    if columns:
        return checked(columns, row, read.file)
    found = guess(row, read.file)
    if is_subject(found.text):
        read.remark(
            f"{read.file}: no column holds the tickets' text, so {found.text!r} is read as the text. Whole messages are longer, "
            "and cost more."
        )
    return found


def _batches(rows: Iterator[Numbered], table: _Table) -> Iterator[LogTickets]:
    start = 0
    while parts := [table.columns(part) for _ in range(BATCH // _PART) if (part := list(islice(rows, _PART)))]:
        table.read.in_order(start)
        start = len(table.read.problems)
        ids, texts, subjects, customers, days, rounds, csat, labels, seconds = (
            tuple(chain(*column)) for column in zip(*parts, strict=True)
        )
        if ids:
            numbers = np.array(days, np.int32), np.array(rounds, np.int32), np.array(csat, np.float32)
            yield LogTickets(ids, texts, subjects, customers, *numbers, labels, np.array(seconds, np.int32))


class _Table:
    """What rows are turned into tickets with: columns, dates, and the ids that were there before."""

    def __init__(self, columns: Columns, read: LogRead, times: bool) -> None:
        self._columns, self._times = columns, times
        self._days = Days(read)
        self._seen: set[str] = set()
        self._customers: dict[str, str] = {}
        self._each = False
        self._counted: dict[int, int | None] = {}
        self.read = read

    def learn(self, rows: Sequence[Numbered]) -> None:
        """Look at the dates of rows that are read later."""
        column = self._columns.created_at
        self._days.learn([row.get(column) for _, row in rows] if column is not None else [])
        turns = self._columns.turns
        self._each = turns is not None and one_sided(row.get(turns) for _, row in rows)
        if self._each:
            self.read.remark(
                f"{self.read.file}: no message in {turns} is the agent's, so each of the customer's counts as a round."
            )

    def columns(self, rows: Sequence[Numbered]) -> tuple[Sequence[Any], ...]:
        """The columns of `LogTickets`, without the rows that are left out."""
        self.read.rows += len(rows)
        column = self._columns.text
        kept = [(n, row, text) for n, row in rows if (text := self._text(n, row.get(column)) or self._instead(n, row))]
        numbers, kept_rows, texts = zip(*kept, strict=True) if kept else ((), (), ())
        subjects = [" ".join(s.split())[:_LONGEST_NAME] for s in self._strings(kept_rows, self._columns.subject)]
        named = (s[:_LONGEST_NAME] for s in self._strings(kept_rows, self._columns.customer))
        # A million rows of a thousand customers: each name is kept once.
        customers = [self._customers.setdefault(s, s) for s in named]
        days, rounds = self._all_days(numbers, kept_rows), self._all_rounds(numbers, kept_rows)
        csat, labels = self._satisfaction(kept_rows), self._labels(kept_rows)
        return (
            self._ids(numbers, kept_rows),
            texts,
            subjects,
            customers,
            days,
            rounds,
            csat,
            labels,
            self._seconds(kept_rows),
        )

    def _text(self, number: int, value: object) -> str:
        if isinstance(value, (dict, list)):
            self.read.leave_out(
                number, f"the text is {'a list' if isinstance(value, list) else 'an object'}, not text."
            )
            return ""
        text = cleaned(value) if type(value) is str else cell_text(value)
        if text[:1] == "<" and len(text) <= MAX_CHARS and is_html(text):
            text = html_text(text)
        if len(text) > MAX_CHARS:
            self.read.leave_out(number, f"{len(text):,} characters; at most {MAX_CHARS:,} are read.")
            return ""
        return text

    def _instead(self, number: int, row: Row) -> str:
        """The subject of a ticket whose message is empty; nothing where that is empty too, or where the row was refused."""
        if self.read.problems and self.read.problems[-1].line == number and self.read.problems[-1].left_out:
            return ""
        subject = cell_text(row.get(self._columns.subject)) if self._columns.subject is not None else ""
        if subject:
            self.read.note(number, "the ticket has no text; its subject is read instead.")
        else:
            self.read.leave_out(number, "the ticket has no text.")
        return subject

    @staticmethod
    def _strings(rows: Sequence[Row], column: str | None) -> list[str]:
        return [""] * len(rows) if column is None else column_texts([row.get(column) for row in rows])

    def _ids(self, numbers: Sequence[int], rows: Sequence[Row]) -> tuple[str, ...]:
        given = self._strings(rows, self._columns.id)
        return tuple(self._id(number, name) for number, name in zip(numbers, given, strict=True))

    def _id(self, number: int, given: str) -> str:
        name = given[:_LONGEST_NAME] or f"{self.read.unit} {number}"
        if name in self._seen:
            counted = f"{name} ({self.read.unit} {number})"
            self.read.note(number, f"the id {name[:60]!r} stood before; it is counted as {counted[:90]}.")
            name = counted
        self._seen.add(name)
        return name

    def _satisfaction(self, rows: Sequence[Row]) -> list[float]:
        """A number on any scale, or good and bad as help desks write them; anything else is not known."""
        column = self._columns.satisfaction
        if column is None:
            return [math.nan] * len(rows)
        return [satisfaction_of(row.get(column)) for row in rows]

    def _labels(self, rows: Sequence[Row]) -> list[str]:
        found = (s[:_LONGEST_NAME] for s in self._strings(rows, self._columns.label))
        return [self._customers.setdefault(s, s) for s in found]

    def _all_days(self, numbers: Sequence[int], rows: Sequence[Row]) -> list[int]:
        column = self._columns.created_at
        values = [row.get(column) for row in rows] if column is not None else []
        self._days.learn(values)
        found = [self._days.day(value) for value in values] or [UNKNOWN] * len(rows)
        for i in [i for i, day in enumerate(found) if day is None] if None in found else ():
            shown = cell_text(values[i])[:40]
            self.read.note(numbers[i], f"the date {shown!r} cannot be read; write it like 2026-11-24.")
        return [day or UNKNOWN for day in found]

    def _seconds(self, rows: Sequence[Row]) -> list[int]:
        """Of the day; none where they were not asked for."""
        column = self._columns.created_at
        return [] if column is None or not self._times else [second_of_day(row.get(column)) for row in rows]

    def _all_rounds(self, numbers: Sequence[int], rows: Sequence[Row]) -> list[int]:
        column = self._columns.turns
        values = [row.get(column) for row in rows] if column is not None else []
        found = [self._rounds(value) for value in values] or [UNKNOWN] * len(rows)
        for i in [i for i, rounds in enumerate(found) if rounds is None] if None in found else ():
            self.read.note(
                numbers[i], "the customer's messages cannot be counted; give a number, or turns that say who wrote."
            )
        return [rounds or UNKNOWN for rounds in found]

    def _rounds(self, value: object) -> int | None:
        # A key of one type: `True` is `1` to a dictionary, and is no number of messages.
        if type(value) is not int:
            return rounds_of(value, self._columns.turns_of, self._each)
        if value not in self._counted:
            self._counted[value] = rounds_of(value, self._columns.turns_of)
        return self._counted[value]
