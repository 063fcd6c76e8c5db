"""The chart of a decision: cost against quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from playground.charts.style import COLOUR, GREY, Chart, titled
from playground.money import usd
from playground.records import Bar, Considered, Decision

SHAPE = {"passes": "circle", "below the bar": "cross", "insufficient evidence": "triangle-up", "not allowed": "square"}


def cost_quality(decision: Decision, limit: int = 60) -> Chart:
    """Candidates by cost and quality, the bar, the intervals and the frontier."""
    options = [o for o in decision.considered if o.quality.estimate is not None and o.cost_usd][:limit]
    frame = pd.DataFrame([_point(o) for o in options])
    if frame.empty:
        return Chart(None, "No candidate has evidence at this stage.")
    x = alt.X(
        "usd:Q",
        scale=alt.Scale(type="log", nice=False),
        title="USD a ticket at this stage (log)",
        axis=alt.Axis(format="$~g", tickCount=4),
    )
    y_title = "Quality, share of the best-measured"
    y = alt.Y(
        "quality:Q",
        title=y_title,
        scale=alt.Scale(domain=[max(0.0, float(frame.low.min()) - 0.02), 1.0]),
        axis=alt.Axis(format=".2f"),
    )
    kinds = list(SHAPE)
    colours = alt.Scale(domain=kinds, range=[COLOUR["kr-auto"], "#D55E00", "#9aa3a0", "#CC79A7"])
    points = (
        alt.Chart(frame)
        .mark_point(size=60, filled=True)
        .encode(
            x=x,
            y=y,
            color=alt.Color("kind:N", scale=colours, legend=alt.Legend(title=None, orient="top", columns=2)),
            shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=list(SHAPE.values()))),
            tooltip=[
                "candidate:N",
                alt.Tooltip("usd:Q", format="$,.6f"),
                alt.Tooltip("quality:Q", format=".3f"),
                "reason:N",
            ],
        )
    )
    whiskers = (
        alt.Chart(frame)
        .mark_rule(opacity=0.35)
        .encode(
            x=x, y=alt.Y("low:Q", title=y_title), y2="high:Q", color=alt.Color("kind:N", scale=colours, legend=None)
        )
    )
    bar = (
        alt.Chart(pd.DataFrame({"quality": [decision.bar.value]}))
        .mark_rule(strokeDash=[6, 4], color=GREY)
        .encode(y="quality:Q")
    )
    frontier = (
        alt.Chart(_frontier(frame)).mark_line(interpolate="step-after", color=GREY, strokeWidth=1).encode(x=x, y=y)
    )
    chosen = frame[frame.chosen]
    ring = (
        alt.Chart(chosen).mark_point(size=260, shape="circle", color=COLOUR["kr-auto"], strokeWidth=2).encode(x=x, y=y)
    )
    name = (
        alt.Chart(chosen)
        .mark_text(align="left", dx=14, dy=-10, fontWeight="bold", color=GREY)
        .encode(x=x, y=y, text="candidate:N")
    )
    title = _decision_title(decision, options)
    chart = titled(
        alt.layer(frontier, whiskers, bar, points, ring, name), title, "Dashed: the bar. Lines: 80% intervals.", 320
    )
    return Chart(chart, f"Cost against quality of {len(options)} candidates. {title}. Bar at {decision.bar.value:.2f}.")


def _decision_title(decision: Decision, options: Sequence[Considered]) -> str:
    own = next((o for o in options if o.candidate == decision.chosen), None)
    if own is None:
        return f"{decision.chosen.key}: no evidence at this stage"
    cheaper = sum((o.cost_usd or 0) < (own.cost_usd or 0) for o in options)
    clears = "clears the bar" if (own.quality.estimate or 0.0) >= decision.bar.value else "stands below the bar"
    return f"{decision.chosen.key} {clears} at {usd(own.cost_usd)} a ticket; {cheaper} of {len(options)} are cheaper"


def _point(option: Considered) -> dict[str, Any]:
    q = option.quality
    kind = {"below_bar": "below the bar", "no_evidence": "insufficient evidence"}.get(
        option.code, "passes" if option.passes else "not allowed"
    )
    chosen = option.code in ("chosen", "pinned", "before", "tier")
    return {
        "candidate": option.candidate.key,
        "usd": float(option.cost_usd or 0),
        "quality": q.estimate,
        "low": q.low,
        "high": q.high,
        "kind": kind,
        "reason": option.reason,
        "chosen": chosen,
    }


def _frontier(frame: pd.DataFrame) -> pd.DataFrame:
    """Candidates that no cheaper one equals in quality."""
    ranked = frame.sort_values(["usd", "quality"], ascending=[True, False])
    return ranked[ranked.quality > ranked.quality.cummax().shift(fill_value=-1.0)]


def raised(bar: Bar) -> str:
    """Why a bar stands above the pipeline's own, in words; empty where it does not."""
    return f" (raised from {bar.base:.2f}: {'; '.join(bar.raised_by)})" if bar.raised_by else ""
