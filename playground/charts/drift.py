"""Charts of second opinions."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.charts.style import COLOUR, Chart, tall
from playground.drift import Alarm
from playground.second_opinion import Sample


def drift_chart(samples: Sequence[Sample], path: NDArray[np.float64], threshold: float, alarm: Alarm | None) -> Chart:
    """The watched statistic against the line at which it is an alarm."""
    if len(samples) < 2:
        return Chart(None, "The watch needs two second opinions.")
    step = max(1, len(path) // 500)
    frame = pd.DataFrame({"sample": np.arange(1, len(path) + 1)[::step], "log": path[::step]})
    since = "" if alarm is None else samples[alarm.since].day or f"sample {alarm.since + 1:,}"
    title = f"Disagreement has risen since {since}" if alarm is not None else "No rise in disagreement is shown"
    line = (
        alt.Chart(frame)
        .mark_line(color=COLOUR["kr-auto"])
        .encode(
            x=alt.X("sample:Q", title="Second opinions", axis=alt.Axis(format="~s", tickCount=6)),
            y=alt.Y("log:Q", title="Evidence of a rise, powers of ten", axis=alt.Axis(tickCount=5)),
            tooltip=["sample:Q", alt.Tooltip("log:Q", format=".2f")],
        )
    )
    limit = alt.Chart(pd.DataFrame({"y": [float(np.log10(threshold))]})).mark_rule(color="#D55E00", strokeDash=[6, 4])
    now = f"Now {path[-1]:.1f}; alarm at {np.log10(threshold):.0f}."
    said = f"Line of the evidence for a rise over {len(samples):,} second opinions. {title}. {now}"
    subtitle = f"Dashed: the alarm. Without a rise it is crossed once in {threshold:,.0f} second opinions."
    return Chart(tall(alt.layer(line, limit.encode(y="y:Q")), 260), said, title, subtitle)
