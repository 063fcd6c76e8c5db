"""Charts of the confidence gate: what a stated confidence is worth, and what a gate at each threshold does."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from playground.charts.style import COLOUR, GREY, Chart, tall
from playground.gate_money import GateMonth
from playground.guardrails.confidence import Bin, Calibration, expected_calibration_error, reliability
from playground.money import usd
from playground.outcomes import DraftOutcome

_SHARE = alt.Scale(domain=[0, 1])
HOLD = {"judge": "are not beaten", "people": "are found good", "file": "are right"}


def reliability_chart(found: Sequence[DraftOutcome], fitted: Calibration) -> Chart:
    """Stated confidence against the share of drafts that were good, in tenths, with Wilson's 95% and how many each stands for."""
    stated, good = [o.confidence for o in found], [o.good for o in found]
    bins = reliability(stated, good)
    if not bins:
        return Chart(None, "No outcome is known, so there is nothing to draw.")
    title = _finding(max(bins, key=lambda b: b.n), found)
    layers = [_diagonal(), *_points(bins)]
    if fitted.stated:
        layers.insert(1, _step(fitted))
    error = expected_calibration_error(stated, good) or 0.0
    said = "; ".join(f"{b.low:.1f} to {b.high:.1f}: {b.observed:.0%} of {b.n:,}" for b in bins)
    line = " Green: the calibration." if fitted.stated else ""
    subtitle = (
        f"Expected calibration error {error:.0%} over {len(found):,} outcomes. Dashed: what is said comes true.{line}"
    )
    return Chart(
        tall(alt.layer(*layers), 300), f"Reliability diagram. {title}. {subtitle} By bin: {said}.", title, subtitle
    )


def _finding(fullest: Bin, found: Sequence[DraftOutcome]) -> str:
    sources = {o.source for o in found}
    verb = HOLD[sources.pop()] if len(sources) == 1 else "hold up"
    return f"Drafts that say {fullest.stated:.2f} {verb} {fullest.observed:.0%} of the time"


def _diagonal() -> alt.Chart:
    ends = pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]})
    return alt.Chart(ends).mark_line(color=GREY, strokeDash=[6, 4]).encode(x=_x("x"), y=_y("y"))


def _step(fitted: Calibration) -> alt.Chart:
    frame = pd.DataFrame({"x": [0.0, *fitted.stated, 1.0], "y": [fitted(0.0), *fitted.share, fitted(1.0)]})
    return alt.Chart(frame).mark_line(color=COLOUR["kr-auto"]).encode(x=_x("x"), y=_y("y"))


def _points(bins: Sequence[Bin]) -> list[alt.Chart]:
    rows = [
        {"x": b.stated, "y": b.observed, "low": b.lower, "high": b.upper, "n": b.n, "label": f"{b.n:,}"} for b in bins
    ]
    base = alt.Chart(pd.DataFrame(rows))
    tips = [
        alt.Tooltip("x:Q", format=".2f", title="stated"),
        alt.Tooltip("y:Q", format=".0%", title="good"),
        alt.Tooltip("n:Q", format=",", title="outcomes"),
    ]
    bars = base.mark_rule(color=COLOUR["stratified"], strokeWidth=2).encode(x=_x("x"), y=_y("low"), y2="high:Q")
    dots = base.mark_point(color=COLOUR["stratified"], filled=True, size=70, opacity=1).encode(
        x=_x("x"), y=_y("y"), tooltip=tips
    )
    text = base.mark_text(dx=8, align="left", fontSize=11, color=GREY).encode(x=_x("x"), y=_y("y"), text="label:N")
    return [bars, dots, text]


def _x(field: str) -> alt.X:
    return alt.X(f"{field}:Q", title="Stated confidence", scale=_SHARE, axis=alt.Axis(tickCount=5))


def _y(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", title="Share that was good", scale=_SHARE, axis=alt.Axis(format=".0%", tickCount=5))


def gate_chart(months: Sequence[GateMonth], now: float) -> Chart:
    """Of all drafts, by threshold: good ones and bad ones that are handed over, and bad ones that are let through."""
    n = months[0].row.n if months else 0
    if not n:
        return Chart(None, "No outcome is known, so there is nothing to draw.")
    parts = ("bad, stopped", "good, handed over", "bad, let through")
    rows = [
        {"threshold": m.row.threshold, "part": part, "share": count / n, "count": count}
        for m in months
        for part, count in zip(parts, (m.stopped_bad, m.row.needless, m.row.passed_bad), strict=True)
    ]
    scale = alt.Scale(domain=list(parts), range=[COLOUR["kr-auto"], COLOUR["people"], "#D55E00"])
    dash = alt.Scale(domain=list(parts), range=[[1, 0], [6, 4], [2, 2]])
    legend = alt.Legend(title=None, orient="top", columns=2, labelLimit=300, symbolType="stroke")
    lines = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line()
        .encode(
            x=alt.X("threshold:Q", title="Hand over below", scale=_SHARE, axis=alt.Axis(tickCount=5)),
            y=alt.Y("share:Q", title="Share of drafts", axis=alt.Axis(format=".0%", tickCount=5)),
            color=alt.Color("part:N", scale=scale, legend=legend),
            strokeDash=alt.StrokeDash("part:N", scale=dash, legend=legend),
            tooltip=["part:N", "threshold:Q", alt.Tooltip("count:Q", format=","), alt.Tooltip("share:Q", format=".0%")],
        )
    )
    here = alt.Chart(pd.DataFrame({"x": [now]})).mark_rule(color=GREY).encode(x="x:Q")
    title = _gate_finding(min(months, key=lambda m: abs(m.row.threshold - now)))
    said = "; ".join(
        f"below {m.row.threshold:.2f}: {m.row.handed_over:,} handed over, {m.row.passed_bad:,} bad let through"
        for m in months[::4]
    )
    return Chart(
        tall(alt.layer(lines, here), 300),
        f"Lines by threshold. {title}. {said}.",
        title,
        f"Grey: the threshold that is set. Of {n:,} drafts.",
    )


def _gate_finding(m: GateMonth) -> str:
    bad = m.stopped_bad + m.row.passed_bad
    if not m.row.handed_over:
        return f"Below {m.row.threshold:.2f} nothing is handed over, and all {bad:,} bad drafts pass"
    return (
        f"Handing over below {m.row.threshold:.2f} stops {m.stopped_bad:,} of {bad:,} bad drafts, with {m.row.needless:,} good ones"
        f", at {usd(m.people_usd)} a month for people"
    )
