"""The chart of a decision: expected cost against quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from playground.charts.style import COLOUR, GREY, Chart, tall
from playground.money import usd
from playground.records import Bar, Considered, Decision

KINDS = {
    "clears the bar": ("circle", COLOUR["kr-auto"]),
    "below the bar": ("cross", "#D55E00"),
    "insufficient evidence": ("triangle-up", "#9aa3a0"),
    "cannot be used": ("square", "#CC79A7"),
}
_KIND_OF = {"below_bar": "below the bar", "no_evidence": "insufficient evidence"}
Y_TITLE = "Quality"
FAR = 3
"""Candidates this many times as dear as the choice and the current model are not drawn."""


def cost_quality(decision: Decision, before: str) -> Chart:
    """Candidates by expected cost and quality, with the bar, the 80% intervals and the frontier.

    `before` is the current model's key; what is far dearer than it and the choice is left out, in the table it stands.
    """
    known = [o for o in decision.considered if o.quality.estimate is not None and o.expected_cost_usd]
    options = _in_range(known, decision, before)
    if not options:
        return Chart(None, "No candidate has evidence at this stage.")
    frame = pd.DataFrame([_point(o) for o in options])
    layers = (_frontier_line(frame), _whiskers(frame), _bar_line(decision.bar), _points(frame), *_chosen(frame))
    title = _title(decision, options)
    said = f"Cost against quality of {len(options)} candidates. {title}. Bar at {decision.bar.value:.2f}."
    return Chart(tall(alt.layer(*layers), 320), said, title, "Dashed: the bar. Thin lines: 80% intervals.")


def _in_range(options: Sequence[Considered], decision: Decision, before: str) -> list[Considered]:
    shown = [o.expected_cost_usd or 0 for o in options if o.candidate.key in (before, decision.chosen.key)]
    most = max(shown, default=max((o.expected_cost_usd or 0 for o in options), default=0)) * FAR
    return [o for o in options if (o.expected_cost_usd or 0) <= most]


def _x() -> Any:
    return alt.X(
        "usd:Q",
        scale=alt.Scale(type="log", nice=False),
        title="USD a ticket at this stage, retries expected (log)",
        axis=alt.Axis(format="$~g", tickCount=4),
    )


def _y(frame: pd.DataFrame, field: str = "quality") -> Any:
    floor = max(0.0, float(frame.low.min()) - 0.02)
    return alt.Y(
        f"{field}:Q", title=Y_TITLE, scale=alt.Scale(domain=[floor, 1.0], clamp=True), axis=alt.Axis(format=".2f")
    )


def _colour() -> Any:
    scale = alt.Scale(domain=list(KINDS), range=[colour for _, colour in KINDS.values()])
    return alt.Color("kind:N", scale=scale, legend=_legend())


def _legend() -> Any:
    return alt.Legend(title=None, orient="top", columns=2, symbolOpacity=1)


def _points(frame: pd.DataFrame) -> Any:
    shapes = alt.Scale(domain=list(KINDS), range=[shape for shape, _ in KINDS.values()])
    tooltip = [
        alt.Tooltip("candidate:N"),
        alt.Tooltip("usd:Q", format="$,.6f", title="USD a ticket"),
        alt.Tooltip("quality:Q", format=".3f"),
        alt.Tooltip("low:Q", format=".2f", title="80% from"),
        alt.Tooltip("high:Q", format=".2f", title="80% to"),
        alt.Tooltip("reason:N"),
    ]
    shape = alt.Shape("kind:N", scale=shapes, legend=_legend())
    marks = alt.Chart(frame).mark_point(size=60, filled=True)
    return marks.encode(x=_x(), y=_y(frame), color=_colour(), shape=shape, tooltip=tooltip)


def _whiskers(frame: pd.DataFrame) -> Any:
    return alt.Chart(frame).mark_rule(opacity=0.35).encode(x=_x(), y=_y(frame, "low"), y2="high:Q", color=_colour())


def _bar_line(bar: Bar) -> Any:
    rule = alt.Chart(pd.DataFrame({"quality": [bar.value]})).mark_rule(strokeDash=[6, 4], color=GREY)
    return rule.encode(y="quality:Q")


def _frontier_line(frame: pd.DataFrame) -> Any:
    """Candidates that no cheaper one equals in quality."""
    ranked = frame.sort_values(["usd", "quality"], ascending=[True, False])
    best = ranked[ranked.quality > ranked.quality.cummax().shift(fill_value=-1.0)]
    return alt.Chart(best).mark_line(interpolate="step-after", color=GREY, strokeWidth=1).encode(x=_x(), y=_y(frame))


def _chosen(frame: pd.DataFrame) -> tuple[Any, ...]:
    if not frame.chosen.any():
        return ()
    chosen = alt.Chart(frame[frame.chosen])
    ring = chosen.mark_point(size=260, shape="circle", color=COLOUR["kr-auto"], strokeWidth=2)
    name = chosen.mark_text(align="left", dx=14, dy=-10, fontWeight="bold", color=GREY)
    return ring.encode(x=_x(), y=_y(frame)), name.encode(x=_x(), y=_y(frame), text="candidate:N")


def _title(decision: Decision, options: Sequence[Considered]) -> str:
    own = next((o for o in options if o.candidate == decision.chosen), None)
    if own is None:
        return f"{decision.chosen.key}: no evidence at this stage"
    cheaper = sum((o.expected_cost_usd or 0) < (own.expected_cost_usd or 0) for o in decision.considered)
    clears = "clears the bar" if (own.quality.estimate or 0.0) >= decision.bar.value else "stands below the bar"
    return f"{decision.chosen.key} {clears} at {usd(own.expected_cost_usd)}; {cheaper} of {len(decision.considered)} are cheaper"


def _point(option: Considered) -> dict[str, Any]:
    q = option.quality
    kind = _KIND_OF.get(option.code, "clears the bar" if option.passes else "cannot be used")
    return {
        "candidate": option.candidate.key,
        "usd": float(option.expected_cost_usd or 0),
        "quality": q.estimate,
        "low": q.low,
        "high": q.high,
        "kind": kind,
        "reason": option.reason,
        "chosen": option.code in ("chosen", "pinned", "before", "tier"),
    }
