"""Charts of what a bar costs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import altair as alt
import pandas as pd

from playground.charts.style import COLOUR, GREY, Chart, tall
from playground.forecast import Spend
from playground.money import usd
from playground.whatif import WhatIf


def spend_by_bar(points: Sequence[WhatIf], stage: str, bar: float, before: Spend | None, volume: int) -> Chart:
    """What a stage costs a month as its bar moves; each step is another model."""
    rows = [
        _row(p.bar, usd_month, p.chosen[stage].key) for p in points if (usd_month := p.month_usd(volume)) is not None
    ]
    frame = pd.DataFrame(rows)
    if frame.empty or before is None:
        return Chart(None, "A call at this stage has no price, so there is no curve.")
    here = frame.iloc[(frame.bar - bar).abs().argmin()]
    title = f"At a bar of {bar:.2f} the stage runs on {here.model} for {usd(Decimal(str(here.usd)))} a month"
    layers = (_curve(frame), _labels(frame), _today(before.cached_usd(volume) * volume), _here(bar))
    said = "; ".join(f"{r.bar:.2f} {r.model} {usd(Decimal(str(r.usd)))}" for r in _changes(frame).itertuples())
    subtitle = "Every step is another model. Dashed: today's model. Grey: the bar now."
    return Chart(tall(alt.layer(*layers), 280), f"Steps of monthly spend by bar. {title}. {said}.", title, subtitle)


def _row(bar: float, usd_month: Decimal, model: str) -> dict[str, object]:
    return {"bar": bar, "usd": float(usd_month), "model": model}


def _changes(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame.model != frame.model.shift()]


def _x() -> alt.X:
    return alt.X("bar:Q", title="Bar", scale=alt.Scale(domain=[0.8, 1.0]), axis=alt.Axis(format=".2f", tickCount=6))


def _y() -> alt.Y:
    return alt.Y("usd:Q", title="USD a month", scale=alt.Scale(zero=True), axis=alt.Axis(format="$~s", tickCount=5))


def _curve(frame: pd.DataFrame) -> alt.Chart:
    tooltip = [
        alt.Tooltip("bar:Q", format=".2f"),
        alt.Tooltip("model:N"),
        alt.Tooltip("usd:Q", format="$,.0f", title="USD a month"),
    ]
    line = alt.Chart(frame).mark_line(interpolate="step-before", color=COLOUR["kr-auto"], point=True)
    return line.encode(x=_x(), y=_y(), tooltip=tooltip)


def _labels(frame: pd.DataFrame) -> alt.Chart:
    # A step of a single point has no room for a name; its tooltip has it.
    wide = frame[frame.model == frame.model.shift(-1)]
    text = alt.Chart(_changes(wide)).mark_text(align="left", dx=2, dy=-9, fontSize=11, color=GREY)
    return text.encode(x=_x(), y=_y(), text="model:N")


def _today(before_usd: Decimal) -> alt.Chart:
    rule = alt.Chart(pd.DataFrame({"usd": [float(before_usd)]})).mark_rule(strokeDash=[6, 4], color=COLOUR["before"])
    return rule.encode(y=_y())


def _here(bar: float) -> alt.Chart:
    return alt.Chart(pd.DataFrame({"bar": [bar]})).mark_rule(color=GREY).encode(x=_x())
