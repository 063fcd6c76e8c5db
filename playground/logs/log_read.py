"""How a log was read: what was left out, what was noted, and where."""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.logs.columns import Columns
from playground.safe_cells import csv_line

MAX_PROBLEMS = 100_000
"""Problems that are kept; more are counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence about one row. `line` is the line of a text file, the row of a sheet, or the ticket's number in JSON."""

    line: int
    reason: str
    left_out: bool


@dataclass(slots=True)
class LogRead:
    """Filled while the batches of a log are taken."""

    columns: Columns | None = None
    rows: int = 0
    left_out: int = 0
    noted: int = 0
    """Problems of rows that are kept all the same."""
    share: float = 0.0
    """How much of the file has been read, from 0 to 1."""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Remarks on the whole file: its encoding, its delimiter, the order of day and month."""
    file: str = ""
    unit: str = "line"

    def leave_out(self, line: int, what: str) -> None:
        """Count a row that is not used, and keep its sentence."""
        self.left_out += 1
        self._keep(line, what, left_out=True)

    def lose(self, line: int, what: str) -> None:
        """The same for a row that could not even be read as one, and is in no batch."""
        self.rows += 1
        self.leave_out(line, what)

    def note(self, line: int, what: str) -> None:
        """Keep a sentence about a row that is used."""
        self.noted += 1
        self._keep(line, what, left_out=False)

    def remark(self, what: str) -> None:
        """Say something about the whole file, once."""
        if what not in self.notes:
            self.notes.append(what)

    def in_order(self, start: int) -> None:
        """Sort the problems from `start` on by line: a batch is checked column by column."""
        self.problems[start:] = sorted(self.problems[start:], key=lambda p: p.line)

    def _keep(self, line: int, what: str, *, left_out: bool) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(line, f"{self.file}, {self.unit} {line}: {what}", left_out))


def problems_csv(read: LogRead) -> str:
    """The problems as a table for a spreadsheet."""
    head = ("line", "left out", "reason")
    found = ((p.line, "yes" if p.left_out else "no", p.reason) for p in read.problems)
    return "".join(map(csv_line, (head, *found)))
