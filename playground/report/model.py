"""A report as plain values: what is said, the tables and the charts, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from playground.charts.style import Chart
from playground.money import Total, usd

Kind = Literal["text", "money", "number", "share"]
Cell = str | int | float | Decimal | Total | date | None
Place = Literal["everywhere", "page", "sheet"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `share` runs from 0 to 1; money is USD, and `exact` gives it a second column of all its digits."""

    title: str
    kind: Kind = "text"
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. `sheet` names its sheet in the workbook; `place` says whether it stands there only, or on the page only."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    sheet: str = ""
    place: Place = "everywhere"
    most: int | None = None
    """Rows that the page shows; the workbook has them all."""

    @property
    def page_rows(self) -> tuple[tuple[Cell, ...], ...]:
        """What the page shows."""
        return self.rows[: self.most]

    @property
    def page_note(self) -> str:
        """The note, and how many rows stand in the workbook only."""
        if len(self.page_rows) == len(self.rows):
            return self.note
        return (
            f"The first {len(self.page_rows):,} of {len(self.rows):,}; the workbook has them all. {self.note}".strip()
        )


@dataclass(frozen=True, slots=True)
class Text:
    """One paragraph."""

    said: str


@dataclass(frozen=True, slots=True)
class Points:
    """Short sentences, one under the other."""

    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    said: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Text from outside as it is: a ticket or a model's answer."""

    title: str
    text: str


Block = Text | Points | Heading | Quote | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report; `key` is its anchor."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One sum of the headline, in USD."""

    label: str
    amount: Total | Decimal | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is written, whatever the format. `origin` says where the numbers come from: it stands on every page."""

    title: str
    word: str
    """Rehearsal, Live, Recorded or Priced, not run: it stands before the title."""
    origin: str
    price_date: date
    made_on: date
    figures: tuple[Figure, ...]
    answer: tuple[str, ...]
    sections: tuple[Section, ...]
    missing: tuple[str, ...] = ()
    """What the report would say if more were known."""
    withheld: tuple[str, ...] = ()
    """What was left out because it was not asked for."""

    @property
    def headline(self) -> str:
        """The title with its label."""
        return f"{self.word}: {self.title}"

    @property
    def footer(self) -> str:
        """Provenance and price date in one line, for every page and sheet."""
        return f"{self.origin} Prices of {day(self.price_date)}. Made on {day(self.made_on)} with Ticket Playground."

    @property
    def short_footer(self) -> str:
        """The same where there is little room."""
        return f"{self.word}. Prices of {day(self.price_date)}. Made on {day(self.made_on)} with Ticket Playground."

    def tables(self) -> Iterator[Table]:
        """Every table, in order."""
        return (b for s in self.sections for b in s.blocks if isinstance(b, Table))


def day(when: date) -> str:
    """A date for people: 21 October 2026."""
    return f"{when.day} {when:%B %Y}"


def shown(value: Cell, kind: Kind) -> str:
    """A cell in words; empty where nothing is known, but for money, which is then unpriced."""
    if isinstance(value, Total):
        return str(value)
    if kind == "money" and (value is None or isinstance(value, Decimal)):
        return usd(value)
    if value is None:
        return ""
    if kind == "share" and isinstance(value, int | float | Decimal):
        return f"{value:.1%}"
    if isinstance(value, int):
        return f"{value:,}"
    return day(value) if isinstance(value, date) else f"{value:,.4g}" if isinstance(value, float) else str(value)
