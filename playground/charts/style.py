"""What all charts share: colours, titles, and a chart with its alt text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt

# Okabe and Ito's colour-blind-safe palette; a plan keeps its colour on every page, and its label repeats it.
COLOUR = {"before": "#6b7280", "stratified": "#0072B2", "kr-auto": "#009E73", "people": "#E69F00"}
GREY = "#808a87"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the sentence a screen reader gets in its place."""

    chart: Any
    alt: str


def titled(chart: Any, title: str, subtitle: str = "", height: int | None = None) -> Any:
    """A chart under a heading that states its finding."""
    heading = alt.TitleParams(
        title,
        subtitle=subtitle or alt.Undefined,
        anchor="start",
        fontSize=14,
        subtitleFontSize=12,
        subtitleColor=GREY,
        offset=8,
    )
    return chart.properties(title=heading, height=height or alt.Undefined)
