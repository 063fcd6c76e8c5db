"""A table that a person brings, read row by row by the names of its columns: pairs, outputs, second opinions, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from playground.errors import BadInput
from playground.logs.log_read import LogRead
from playground.logs.sources import log_rows

T = TypeVar("T")
Named = Mapping[str, Any]
"""A row by the names of its columns, in small letters with underscores."""


def rows_of(
    path: Path,
    read: LogRead | None,
    has_columns: Callable[[set[str]], bool],
    needs: str,
    take: Callable[[int, Named, LogRead], T | None],
) -> Iterator[T]:
    """What `take` makes of each row; it names a row that it cannot use, and returns `None`.

    Raises `BadInput` where the columns are not there (`needs` says which), or no row can be used.
    """
    read = read if read is not None else LogRead()
    found, seen = False, set[str]()
    for number, row in log_rows(path, read):
        named = {str(k).strip().lower().replace(" ", "_"): v for k, v in row.items()}
        seen |= set(named)
        if not has_columns(seen):
            raise BadInput(f"{path.name}: needs {needs}. Found: {', '.join(map(str, row))[:200]}.")
        read.rows += 1
        if not has_columns(set(named)):
            read.leave_out(number, f"the row has no cell in one of {needs}.")
            continue
        taken = take(number, named, read)
        if taken is not None:
            found = True
            yield taken
    if not found:
        raise BadInput(read.problems[0].reason if read.problems else f"{path.name}: the file has no rows.")


class Once:
    """Ticket by ticket: a ticket that comes twice is named and left out."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def is_new(self, ticket: str, number: int, read: LogRead) -> bool:
        """Whether a ticket is seen for the first time."""
        if ticket in self._seen:
            read.leave_out(number, f"the ticket {ticket[:60]!r} stood before; one ticket counts once.")
            return False
        self._seen.add(ticket)
        return True
