"""The report as one HTML file: charts inline, no script, nothing to fetch, and a footer on every printed page."""

from __future__ import annotations

from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from playground.charts.style import Chart
from playground.money import Total, usd
from playground.report.model import Figure, Heading, Points, Quote, Report, Table, Text, day, shown
from playground.report.redaction import legible
from playground.report.svg import draw

_FOLDER = Path(__file__).resolve().parents[1] / "data"


def as_html(report: Report) -> str:
    """The whole file as text. Every word from outside is escaped by the template engine."""
    return str(_template().render(report=report, foot=_css_string(report.footer), draw=_drawer(), money=money, day=day))


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    engine = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: legible(value) if type(value) is str else value,
    )
    kinds = {"Text": Text, "Points": Points, "Heading": Heading, "Quote": Quote, "Table": Table, "Chart": Chart}
    engine.tests |= {name: (lambda value, kind=kind: isinstance(value, kind)) for name, kind in kinds.items()}
    engine.filters["cell"] = lambda value, column: shown(value, column.kind)
    return engine.get_template("report.html.j2")


def money(figure: Figure) -> str:
    """A sum of the headline, short."""
    return str(figure.amount) if isinstance(figure.amount, Total) else usd(figure.amount)


def _drawer() -> Any:
    """Draws chart after chart, each with ids of its own, at two widths."""
    from markupsafe import Markup

    numbers = count(1)

    def drawn(chart: Chart) -> Any:
        return tuple(map(Markup, draw(chart, f"c{next(numbers)}-")))

    return drawn


def _css_string(text: str) -> Any:
    """Text as a string in a style sheet: every character that is no letter, digit or space becomes its number."""
    from markupsafe import Markup

    safe = "".join(c if c.isascii() and (c.isalnum() or c == " ") else f"\\{ord(c):06x} " for c in text)
    return Markup(f'"{safe}"')
