"""The chart of the migration plan: four weeks, a bar for each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import altair as alt
import pandas as pd

from playground.charts.style import GREY, Chart, tall
from playground.migration import ESTIMATES, STATES, WEEKS, Savings, Slot, State, finding

STATE_COLOUR = dict(zip(STATES, ("#009E73", "#56B4E9", "#CC79A7", "#0072B2", "#E69F00", "#D55E00", GREY), strict=True))
SHAPES = dict(
    zip(STATES, ("circle", "triangle-up", "diamond", "triangle-right", "square", "cross", "triangle-down"), strict=True)
)
ROW_PX = 24


def plan_chart(slots: Sequence[Slot], savings: Savings, today: date) -> Chart:
    """A bar for each step from its first to its last day; colour, shape and word say its state."""
    if not slots:
        return Chart(None, "The plan has no steps.")
    rows = [_row(s) for s in slots]
    first, end = slots[0].first, max(s.last for s in slots) + timedelta(days=1)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("step:N", sort=[r["step"] for r in rows], title=None, axis=_names())
    )
    days = alt.Scale(domain=[_day(first), _day(end + timedelta(days=4))])
    x = alt.X("from:T", title="Day", scale=days, axis=_mondays(first))
    colour = alt.Color("state:N", scale=_scale(STATE_COLOUR), legend=None)
    tips = ["step:N", "state:N", alt.Tooltip("from:T", format="%-d %b"), alt.Tooltip("due:T", format="%-d %b"), "why:N"]
    bars = base.mark_bar(height=8, opacity=0.55).encode(x="from:T", x2="to:T", color=colour, tooltip=tips)
    marks = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=x, color=colour, shape=alt.Shape("state:N", scale=_scale(SHAPES), legend=None), tooltip=tips
    )
    words = base.mark_text(align="left", dx=5, color=GREY).encode(x="to:T", text="state:N")
    layers = [bars, marks, words]
    if first <= today < end:
        now = alt.Chart(pd.DataFrame({"day": [_local(today)]})).mark_rule(strokeDash=[4, 3], color=GREY)
        layers.append(now.encode(x="day:T"))
    title = finding(savings)
    return Chart(
        tall(alt.layer(*layers), ROW_PX * len(rows) + 50),
        f"Calendar of {len(rows)} steps in {len(WEEKS)} weeks from {first:%-d %B %Y}. {title}. {_by_week(slots)}",
        title,
        "A bar runs from a step's first day to the day it is due."
        + (" Dashed: today." if first <= today < end else "")
        + f" {ESTIMATES}",
    )


def _names() -> alt.Axis:
    return alt.Axis(labelLimit=190, labelPadding=6)


def _mondays(first: date) -> alt.Axis:
    """A tick where each week of the plan begins."""
    starts = [first + timedelta(weeks=n) for n in range(len(WEEKS) + 1)]
    return alt.Axis(format="%-d %b", values=[_day(d) for d in starts])


def _day(day: date) -> alt.DateTime:
    """A day as scales and axes take it: of text they keep two readings that conflict."""
    return alt.DateTime(year=day.year, month=day.month, date=day.day)


def _local(day: date) -> str:
    """Midnight where the reader is: a bare date would be midnight in UTC, and the day before in America."""
    return f"{day.isoformat()}T00:00:00"


def _scale(of: Mapping[State, str]) -> alt.Scale:
    return alt.Scale(domain=list(of), range=list(of.values()))


def _row(slot: Slot) -> dict[str, str]:
    end = slot.last + timedelta(days=1)
    return {
        "step": slot.step.title, "state": slot.step.state, "why": slot.step.because, "from": _local(slot.first),
        "to": _local(end), "due": _local(slot.last),
    }  # fmt: skip


def _by_week(slots: Sequence[Slot]) -> str:
    found = []
    for week in WEEKS:
        own = [f"{s.step.title} {s.step.state}" for s in slots if s.step.week == week]
        found.append(f"Week {week}: {', '.join(own)}.")
    return " ".join(found)
