"""The first rows of a log, and what its columns seem to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from playground.errors import BadTicket
from playground.logs.columns import Columns, guess, sample
from playground.logs.log_read import LogRead
from playground.logs.reader import SAMPLED
from playground.logs.sources import log_rows

_LONGEST_CELL = 200


@dataclass(frozen=True, slots=True)
class Preview:
    """What a person sees before saying which column is which. `guess` is `None` where `problem` says why."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    guess: Columns | None
    problem: str = ""


def preview(path: Path, rows: int = 20) -> Preview:
    """The first rows of a file. Raises `BadTicket` where it cannot be read, or has no rows."""
    read = LogRead()
    found = [row for _, row in islice(log_rows(path, read), max(rows, SAMPLED))]
    if not found:
        raise BadTicket(read.problems[0].reason if read.problems else f"{path.name}: the file has no rows.")
    columns = sample(found)
    shown = tuple({name: _cell(row.get(name)) for name in columns} for row in found[:rows])
    try:
        return Preview(tuple(columns), shown, guess(columns, path.name))
    except BadTicket as error:
        return Preview(tuple(columns), shown, None, str(error))


def _cell(value: object) -> str:
    try:
        return "" if value is None else str(value)[:_LONGEST_CELL]
    except (RecursionError, ValueError):
        return "(nested too deeply)"
