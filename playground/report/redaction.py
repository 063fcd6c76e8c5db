"""What stands in place of what was not asked for, and text from outside made fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from playground.log_summary import NOBODY, Customers
from playground.redact import redact
from playground.report.sources import Sources
from playground.tickets import clean

REMOVED = "[customer]"
NAMELESS = "No customer named"


def legible(text: str) -> str:
    """Text without keys and without what a reader cannot see, such as marks that turn the direction of writing."""
    return clean(redact(text))[0]


def one_line(text: str) -> str:
    """The same on one line."""
    return " ".join(legible(text).split())


def aliases(names: Iterable[str], with_names: bool) -> dict[str, str]:
    """Each customer's name as it is shown: itself, or a number in the order given."""
    given = dict.fromkeys(n for n in names if n != NOBODY)
    if with_names:
        return {name: one_line(name) or "(a name that cannot be shown)" for name in given}
    return {name: f"Customer {i}" for i, name in enumerate(given, 1)}


def renamed(customers: Customers, names: Mapping[str, str]) -> Customers:
    """The same customers under other names, for a chart that shows them."""
    dearest = (replace(g, name=names.get(g.name, g.name)) for g in customers.dearest)
    return replace(customers, dearest=tuple(dearest))


def without_names(text: str, names: Iterable[str | None]) -> str:
    """Text in which the names that are known no longer stand."""
    for name in sorted({n for n in names if n and n.strip()}, key=len, reverse=True):
        text = re.sub(re.escape(clean(name)[0] or name), REMOVED, text, flags=re.IGNORECASE)
    return text


def quoted(text: str, sources: Sources) -> str:
    """A ticket's or a model's text as it may be shown: without the customer's name unless names were asked for."""
    done = sources.ticket
    names = () if sources.redaction.with_names or done is None else (done.trace.ticket.customer_id,)
    return without_names(legible(text), names)
