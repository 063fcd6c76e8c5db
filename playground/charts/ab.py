"""The chart of an A/B comparison."""

from __future__ import annotations

import altair as alt
import pandas as pd

from playground.ab import Comparison
from playground.charts.style import COLOUR, Chart, tall
from playground.sequential import Trajectory


def ab_chart(found: Comparison, path: Trajectory, margin: float) -> Chart:
    """The range of B minus A as customers arrived."""
    if len(path.n) < 2:
        return Chart(None, "The running range needs two customers of each variant.")
    frame = pd.DataFrame({"n": path.n, "low": path.low, "high": path.high})
    start = len(path.n) // 4
    reach = float(max(5 * margin, abs(path.low[start]), abs(path.high[start])))
    verdicts = {"CUT OVER": "B is not worse by more than the margin", "KEEP": "B is worse by more than the margin"}
    title = verdicts.get(found.decision.verdict, "The difference is not decided yet")
    y = alt.Y(
        "low:Q", title="B minus A", scale=alt.Scale(domain=[-reach, reach]), axis=alt.Axis(format="+.0%", tickCount=6)
    )
    band = (
        alt.Chart(frame)
        .mark_area(opacity=0.35, color=COLOUR["stratified"], clip=True)
        .encode(
            x=alt.X("n:Q", title="Customers of each variant", axis=alt.Axis(format="~s", tickCount=6)), y=y, y2="high:Q"
        )
    )
    rule = alt.Chart(pd.DataFrame({"y": [-margin]})).mark_rule(color="#D55E00", strokeDash=[6, 4]).encode(y="y:Q")
    said = f"Range of B minus A as customers arrived. {title}. Now {path.low[-1]:+.1%} to {path.high[-1]:+.1%}."
    return Chart(tall(alt.layer(band, rule), 280), said, title, "Dashed: the margin. Valid at every look.")
