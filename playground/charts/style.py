"""What all charts share: colours, and a chart with its title and alt text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Okabe and Ito's colour-blind-safe palette; a plan keeps its colour on every page, and its label repeats it.
COLOUR = {"before": "#6b7280", "stratified": "#0072B2", "kr-auto": "#009E73", "people": "#E69F00"}
GREY = "#808a87"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, the finding it shows, and the sentence a screen reader gets in its place.

    The title stands apart from the chart: Vega cuts a title that is wider than a phone, a page wraps it.
    """

    chart: Any
    alt: str
    title: str = ""
    subtitle: str = ""


def tall(chart: Any, height: int) -> Any:
    """The chart at a height in pixels; its width is the page's."""
    return chart.properties(height=height)
