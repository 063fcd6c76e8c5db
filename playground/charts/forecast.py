"""Charts of what a month depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from playground.charts.style import COLOUR, GREY, Chart, tall
from playground.forecast import Month
from playground.money import usd
from playground.records import Plan
from playground.tornado import Swing


def tornado_chart(swings: Sequence[Swing], all_in_usd: object) -> Chart:
    """Each assumption's swing of the month, the widest on top."""
    if not swings:
        return Chart(None, "Nothing moves this month: every part of it is zero.")
    rows = [
        {"name": s.name, "end": end, "usd": float(value), "said": said, "base": float(all_in_usd)}  # type: ignore[arg-type]
        for s in swings
        for end, value, said in (("low", s.low_usd, s.low), ("high", s.high_usd, s.high))
    ]
    widest = swings[0]
    low, high = sorted((widest.low_usd, widest.high_usd))
    title = f"{widest.name} moves the month most: {usd(low)} to {usd(high)}"
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("name:N", sort=[s.name for s in swings], title=None, axis=alt.Axis(labelLimit=170, labelOverlap=False))
    )
    colours = alt.Scale(domain=["low", "high"], range=["#56B4E9", COLOUR["people"]])
    x = alt.X(
        "usd:Q",
        title="USD a month, kr-auto all in",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format="$~s", tickCount=5),
    )
    bars = base.mark_bar().encode(
        x=x,
        x2="base:Q",
        color=alt.Color("end:N", scale=colours, legend=alt.Legend(title=None, orient="top")),
        tooltip=[
            "name:N",
            alt.Tooltip("said:N", title="at"),
            alt.Tooltip("usd:Q", format="$,.0f", title="USD a month"),
        ],
    )
    rule = alt.Chart(pd.DataFrame({"usd": [rows[0]["base"]]})).mark_rule(color=GREY).encode(x="usd:Q")
    said = "; ".join(f"{s.name} from {s.low} to {s.high}: {usd(s.low_usd)} to {usd(s.high_usd)}" for s in swings)
    return Chart(
        tall(alt.layer(bars, rule), 30 * len(swings) + 80), f"Bars of the month by assumption. {title}. {said}.", title
    )


def year_chart(years: Mapping[Plan, Sequence[tuple[int, Month]]]) -> Chart:
    """Twelve months all in under each plan."""
    rows = [
        {"month": i, "plan": plan, "usd": float(m.all_in_usd), "tickets": n}
        for plan, months in years.items()
        for i, (n, m) in enumerate(months, 1)
    ]
    totals = {
        plan: sum((m.all_in_usd for _, m in months), start=months[0][1].all_in_usd * 0)
        for plan, months in years.items()
    }
    saved = totals["before"] - totals["kr-auto"]
    title = f"Over twelve months kr-auto {'saves' if saved >= 0 else 'adds'} {usd(abs(saved))} all in"
    scale = alt.Scale(domain=list(years), range=[COLOUR[p] for p in years])
    lines = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=True)
        .encode(
            x=alt.X("month:O", title="Month from now", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("usd:Q", title="USD a month, all in", axis=alt.Axis(format="$~s", tickCount=5)),
            color=alt.Color("plan:N", scale=scale, legend=alt.Legend(title=None, orient="top")),
            tooltip=[
                "month:O",
                "plan:N",
                alt.Tooltip("tickets:Q", format=","),
                alt.Tooltip("usd:Q", format="$,.0f", title="USD"),
            ],
        )
    )
    said = ", ".join(f"{plan} {usd(total)}" for plan, total in totals.items())
    return Chart(tall(lines, 260), f"Lines of monthly cost over twelve months. {title}. In all: {said}.", title)
