"""Charts of a shadow evaluation."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from playground.charts.style import COLOUR, GREY, Chart, tall
from playground.cut_over import Assessment
from playground.sequential import Decision, Verdict

_WORDS: Mapping[Verdict, str] = {
    "CUT OVER": "is shown to be not worse by more than the margin",
    "KEEP": "is shown to be worse by more than the margin",
    "CONTINUE": "is not decided yet",
}
_DIFFERS = "is shown to differ by more than the margin"
_POINTS = alt.Axis(format="+.1~%", tickCount=6)


def bound_chart(candidate: str, found: Assessment, only_agreement: bool = False) -> Chart:
    """The range that the true difference lies in, as pairs arrived, against the margin.

    Where all that was seen is whether the two agree, a difference says of neither that it is worse.
    """
    path = found.path
    if len(path.n) < 2:
        return Chart(None, "The running range needs two pairs.")
    frame = pd.DataFrame({"pairs": path.n, "low": path.low, "high": path.high})
    decided = found.decision.decided_at
    at = f" after {decided:,} {found.unit}s" if decided else ""
    word = _DIFFERS if found.verdict == "KEEP" and only_agreement else _WORDS[found.verdict]
    title = f"{candidate} {word}{at}"
    # The first pairs say nothing and would flatten the rest.
    reach = float(max(5 * found.margin, *np.abs([path.low[len(path.n) // 4], path.high[len(path.n) // 4]])))
    y = alt.Y("low:Q", title="Candidate minus current", axis=_POINTS, scale=alt.Scale(domain=[-reach, reach]))
    x = alt.X(
        "pairs:Q", title=f"{found.unit.capitalize()}s compared", axis=alt.Axis(format=",d", tickCount=6, tickMinStep=1)
    )
    band = (
        alt.Chart(frame)
        .mark_area(opacity=0.25, color=COLOUR["kr-auto"], clip=True)
        .encode(
            x=x,
            y=y,
            y2="high:Q",
            tooltip=["pairs:Q", alt.Tooltip("low:Q", format="+.1%"), alt.Tooltip("high:Q", format="+.1%")],
        )
    )
    lines = [
        alt.Chart(frame).mark_line(color=COLOUR["kr-auto"], clip=True).encode(x=x, y=f"{end}:Q")
        for end in ("low", "high")
    ]
    margin = (
        alt.Chart(pd.DataFrame({"y": [-found.margin]})).mark_rule(color="#D55E00", strokeDash=[6, 4]).encode(y="y:Q")
    )
    zero = alt.Chart(pd.DataFrame({"y": [0.0]})).mark_rule(color=GREY).encode(y="y:Q")
    low, high = path.low[-1], path.high[-1]
    now = f"Now {low:+.1%} to {high:+.1%}; the margin is {-found.margin:+.1%}."
    said = f"Range of the true difference as pairs arrived. {title}. {now}"
    subtitle = (
        "Dashed: the margin. Cut over when the lower line passes it, keep when the upper one does. Valid at every look."
    )
    return Chart(tall(alt.layer(band, *lines, zero, margin), 300), said, title, subtitle)


def intents_chart(intents: Mapping[str, tuple[Decision, Verdict]], margin: float) -> Chart:
    """Each kind of ticket with its own range."""
    if not intents:
        return Chart(None, "No kind of ticket has 20 pairs yet.")
    rows = [
        {"intent": name, "low": d.low, "high": d.high, "pairs": d.pairs, "verdict": verdict}
        for name, (d, verdict) in sorted(intents.items(), key=lambda item: -item[1][0].pairs)
    ]
    frame = pd.DataFrame(rows)
    count = sum(verdict == "CUT OVER" for _, verdict in intents.values())
    title = f"{count} of {len(intents)} kinds of ticket may be cut over on their own"
    base = alt.Chart(frame).encode(
        y=alt.Y("intent:N", sort=list(frame.intent), title=None, axis=alt.Axis(labelLimit=160))
    )
    bars = base.mark_bar(height=8, opacity=0.5, color=COLOUR["kr-auto"]).encode(
        x=alt.X("low:Q", title="Candidate minus current", axis=_POINTS),
        x2="high:Q",
        tooltip=[
            "intent:N",
            "pairs:Q",
            "verdict:N",
            alt.Tooltip("low:Q", format="+.1%"),
            alt.Tooltip("high:Q", format="+.1%"),
        ],
    )
    rule = alt.Chart(pd.DataFrame({"x": [-margin]})).mark_rule(color="#D55E00", strokeDash=[6, 4]).encode(x="x:Q")
    said = "; ".join(f"{r['intent']} {r['low']:+.0%} to {r['high']:+.0%}, {r['verdict']}" for r in rows)
    return Chart(tall(alt.layer(bars, rule), 26 * len(rows) + 60), f"Ranges by kind of ticket. {title}. {said}.", title)
