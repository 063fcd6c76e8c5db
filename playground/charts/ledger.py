"""Charts of the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import altair as alt
import pandas as pd

from playground.charts.style import GREY, Chart, tall
from playground.ledger import Spend
from playground.money import ZERO, usd

PALETTE = ("#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#D55E00")
OTHERS = "all others"
DAY_MS = 86_400_000
MOST_DAYS = 180
"""Beyond this a bar is a week: a screen reader reads no more marks, and an eye sees none."""


def spend_over_time(spends: Sequence[Spend], name: str) -> Chart:
    """What was spent a day, by model or stage; `spends` are keyed by (day, name). The largest six are told apart."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for s in spends:
        sums[str(s.key[1])] += s.total.known_usd
    whole = sum(sums.values(), ZERO)
    if not whole:
        return Chart(None, "Nothing that was called has a price, so there is no spend to draw.")
    shown = sorted(sums, key=lambda n: -sums[n])[: len(PALETTE)]
    unit, rows = _rows(spends, shown)
    names = [*shown, *([OTHERS] if len(sums) > len(shown) else [])]
    scale = alt.Scale(domain=names, range=[*PALETTE[: len(shown)], GREY][: len(names)])
    bars = _along(pd.DataFrame(rows), unit).encode(
        y=alt.Y("low:Q", title=f"USD a {unit.lower()}", axis=alt.Axis(format="$~g", tickCount=5)),
        color=alt.Color("who:N", scale=scale, legend=alt.Legend(title=None, orient="top", columns=2, labelLimit=180)),
        y2="high:Q",
        tooltip=[
            alt.Tooltip("day:T", title=unit, format="%-d %B %Y"),
            alt.Tooltip("who:N", title=name),
            alt.Tooltip("usd:Q", title="USD", format="$,.4f"),
        ],
    )
    most = shown[0]
    title = f"{most} carries {sums[most] / whole:.0%} of the spend"
    parts = ", ".join(f"{n} {usd(sums[n])}" for n in shown)
    said = f"Bars of spend a {unit.lower()} by {name}. {title}. In all {usd(whole)}: {parts}."
    return Chart(tall(bars, 280), said, title)


def _along(frame: pd.DataFrame, unit: str) -> alt.Chart:
    """Blocks on a line of time; a single day or week is a bar with its name under it."""
    if frame.day.nunique() == 1:
        axis = alt.Axis(labelAngle=0)
        return alt.Chart(frame).mark_bar(size=80).encode(x=alt.X("said:O", title=f"{unit}, UTC", axis=axis))
    axis = alt.Axis(format="%-d %b", labelOverlap=True, tickMinStep=DAY_MS)
    return alt.Chart(frame).mark_rect(stroke=None).encode(x=alt.X("day:T", title=f"{unit}, UTC", axis=axis), x2="end:T")


def _rows(spends: Sequence[Spend], shown: Sequence[str]) -> tuple[str, list[dict[str, object]]]:
    """Days or weeks, and a block of a bar for each of them and each name: from when to when, from how much to how much."""
    days = sorted(date.fromisoformat(str(s.key[0])) for s in spends)
    weekly = (days[-1] - days[0]).days > MOST_DAYS
    sums: dict[tuple[date, str], Decimal] = defaultdict(lambda: ZERO)
    for s in spends:
        day, who = date.fromisoformat(str(s.key[0])), str(s.key[1])
        at = day - timedelta(days=day.weekday()) if weekly else day
        sums[at, who if who in shown else OTHERS] += s.total.known_usd
    span, rows = timedelta(days=7 if weekly else 1), list[dict[str, object]]()
    for day in sorted({day for day, _ in sums}):
        low = ZERO
        for who in (*shown, OTHERS):
            if amount := sums.get((day, who)):
                rows.append(_block(day, span, who, low, amount))
                low += amount
    return "Week" if weekly else "Day", rows


def _block(day: date, span: timedelta, who: str, low: Decimal, amount: Decimal) -> dict[str, object]:
    start, end = pd.Timestamp(day), pd.Timestamp(day + span)
    said = f"{day:%-d %b}"
    money = {"usd": float(amount), "low": float(low), "high": float(low + amount)}
    return {"day": start, "end": end, "said": said, "who": who, **money}
