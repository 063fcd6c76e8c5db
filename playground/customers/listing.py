"""The customers as a list for account management: CSV and XLSX. No cell begins like a formula, and every row says what it is."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from playground.customers import Customer, Customers, Part
from playground.customers.prices import Prices, margin
from playground.customers.tiers import USUAL, Measure, Tier, placed
from playground.prices import PRICE_DATE
from playground.safe_cells import csv_line, safe

NOBODY = "(no customer named)"
EVALUATED = "(evaluations only)"
"""Whom no ticket was served, in one row."""
EXAMPLE = "An example"
LONGEST_CELL = 32_000
"""A spreadsheet takes 32,767 characters in a cell."""
MOST_IN_A_SHEET = 10_000
"""Writing more takes minutes, and nobody reads them; the CSV holds every customer."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
Cell = str | int | Decimal | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list is made of. `provenance` says what kind of number it is: rehearsal, live, recorded, or priced and not run."""

    customers: Customers
    provenance: str
    basis: str
    """One line on what the sums hold, such as one round of a log's tickets under kr-auto."""
    prices: Prices
    tiers: tuple[Tier, ...]
    measure: Measure
    example_price: bool = False
    """Whether the price of those without one of their own is only an example."""

    @property
    def example_tiers(self) -> bool:
        """Whether the tiers are those to begin with, which are nobody's."""
        return tuple(self.tiers) == tuple(USUAL[self.measure])


def as_csv(listing: Listing) -> bytes:
    """The list as CSV in UTF-8, with the mark that spreadsheets know it by."""
    return ("\ufeff" + "".join(map(csv_line, rows(listing)))).encode("utf-8", "replace")


def as_xlsx(listing: Listing) -> bytes:
    """The list as a sheet, and beside it one that says what it is; text is text and numbers are numbers."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    def cell_of(sheet: Any, cell: Cell) -> Any:
        """Openpyxl takes text such as #N/A for an error of a formula."""
        if not isinstance(cell, str) or not cell.startswith(("#", "=")):
            return cell
        made = WriteOnlyCell(sheet, value=cell)
        made.data_type = "s"
        return made

    book = Workbook(write_only=True)
    sheet, about = book.create_sheet("Customers"), book.create_sheet("About")
    sheet.freeze_panes = "B2"
    for target, found in ((sheet, rows(listing, MOST_IN_A_SHEET)), (about, said(listing))):
        for row in found:
            target.append([cell_of(target, cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rows(listing: Listing, most: int | None = None) -> Iterator[tuple[Cell, ...]]:
    """The head, every customer or the dearest of them, what nobody is named for, and last what was evaluated only."""
    found = listing.customers
    yield tuple(_columns(listing))
    for customer in found.named(most):
        yield _row(listing, customer)
    if found.unattributed is not None:
        yield _row(listing, found.unattributed)
    if found.evaluated_only is not None:
        yield (EVALUATED, *_row(listing, found.evaluated_only)[1:])


def _columns(listing: Listing) -> tuple[str, ...]:
    month = "tickets_a_month" if listing.measure == "tickets" else "usd_a_month"
    return (
        "customer", "tickets", "spend_usd", "unpriced", "evaluations_usd", "evaluations_unpriced", "per_ticket_usd",
        "share_of_customers_spend", "before_usd",
        "first_half_usd", "second_half_usd", "change", month, "tier", "tier_first_half", "tier_second_half", "crosses_up",
        "tiers_are", "price_is", "price_usd_a_month", "models_usd_a_month", "margin_usd_a_month", "margin_share",
        "period_since", "period_until", "provenance", "price_date", "basis",
    )  # fmt: skip


def _row(listing: Listing, c: Customer) -> tuple[Cell, ...]:
    period = listing.customers.period
    place = None if period is None else placed(c, listing.tiers, listing.measure, period)
    paid = None if period is None else margin(c, listing.prices, period)
    named = c.name is not None
    tiers = (None, None, None, None) if place is None or not named else (
        place.tier.name, *(None if t is None else t.name for t in (place.first, place.second)),
        "yes" if place.crosses_up else "no",
    )  # fmt: skip
    return (
        NOBODY if c.name is None else text(c.name), c.tickets, c.cost.known_usd, c.cost.unpriced_calls,
        c.evaluations.known_usd, c.evaluations.unpriced_calls,
        None if c.per_ticket is None else _rounded(c.per_ticket.known_usd), _rounded(listing.customers.share(c)), c.before_usd,
        _spent(c.first), _spent(c.second), change_said(c),
        None if place is None else _rounded(place.month, 6), *(None if t is None else text(t) for t in tiers),
        "" if not named else "example" if listing.example_tiers else "own",
        "" if paid is None else "example" if listing.example_price and c.name not in listing.prices.own else "own",
        *((None,) * 4 if paid is None else (
            paid.price_usd, _rounded(paid.models.known_usd, 6), _rounded(paid.usd, 6), _rounded(paid.share))),
        *((None, None) if period is None else (period.since.isoformat(), period.until.isoformat())),
        text(listing.provenance), PRICE_DATE.isoformat(), text(listing.basis),
    )  # fmt: skip


def change_said(customer: Customer) -> str:
    """The trend in a word: new, gone, or a percentage without a sign that a spreadsheet would take for a formula."""
    if customer.is_new:
        return "new"
    change = customer.change
    if change is None:
        return ""
    return "gone" if change == -1 else f"{abs(change):.0%} {'less' if change < 0 else 'more'}"


def said(listing: Listing) -> tuple[tuple[Cell, ...], ...]:
    """What the list is, in rows of a name and a value."""
    found = listing.customers
    period = "no dates" if found.period is None else f"{found.period}, {found.period.days} days"
    return (
        ("What", "Model spend by customer"),
        ("Provenance", text(listing.provenance)),
        ("Basis", text(listing.basis)),
        ("Period", period),
        ("A month", "The period scaled to 30.4375 days"),
        ("Halves", "First and second half of the period; with an odd number of days the middle one is in neither"),
        ("Prices of", PRICE_DATE.isoformat()),
        ("Customers", found.count),
        ("Of them in the sheet", min(found.count, MOST_IN_A_SHEET)),
        ("Tickets", found.total.tickets),
        ("Spend, USD", found.total.cost.known_usd),
        ("Without a price", found.total.cost.unpriced_calls),
        ("Evaluations beside it, USD", found.evaluations.known_usd),
        ("Evaluations without a price", found.evaluations.unpriced_calls),
        ("Margin", "Price less models; people, retries of a log and fixed costs are not in it"),
        ("Price", f"{EXAMPLE}, not what anybody pays" if listing.example_price else "As given"),
        ("Tiers are", f"{EXAMPLE}, not your plans" if listing.example_tiers else "As given"),
        ("Tiers", text("; ".join(f"{t.name} from {t.start:f} {listing.measure} a month" for t in listing.tiers))),
    )


def text(cell: str) -> str:
    """A cell of text: inert, and without characters that a sheet cannot hold."""
    return safe(_NOT_IN_XML.sub("\ufffd", cell)[:LONGEST_CELL])


def _spent(part: Part | None) -> Decimal | None:
    return None if part is None else part.cost.known_usd


def _rounded(amount: Decimal | None, digits: int = 12) -> Decimal | None:
    return None if amount is None else round(amount, digits)
