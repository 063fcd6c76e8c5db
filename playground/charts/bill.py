"""Charts of one ticket's bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import altair as alt
import pandas as pd

from playground.bill import PlanBill
from playground.charts.style import COLOUR, GREY, Chart, tall
from playground.levers import MARKET, Lever
from playground.money import usd
from playground.pipeline import Pipeline
from playground.records import PLANS, Plan


def by_stage(pipeline: Pipeline, plans: Mapping[Plan, PlanBill]) -> Chart:
    """Cost per stage under the three plans."""
    rows = [
        {
            "stage": s.title,
            "plan": plan,
            "usd": float(bill.stage_total(s.key).known_usd),
            "label": str(bill.stage_total(s.key)),
        }
        for plan, bill in plans.items()
        for s in pipeline.stages
    ]
    frame = pd.DataFrame(rows)
    dearest = frame[frame.plan == "before"].sort_values("usd").iloc[-1]
    share = dearest.usd / max(frame[frame.plan == "before"].usd.sum(), 1e-12)
    title = f"{dearest.stage} is {share:.0%} of today's bill"
    titles = [s.title for s in pipeline.stages]
    base = alt.Chart(frame).encode(
        y=alt.Y("stage:N", sort=titles, title=None, axis=alt.Axis(labelLimit=180, labelOverlap=False)),
        yOffset=alt.YOffset("plan:N", sort=list(PLANS)),
        x=alt.X("usd:Q", title="USD a ticket", axis=alt.Axis(format="$,.3f", tickCount=5)),
        color=_plan_colour(),
        tooltip=[
            alt.Tooltip("stage:N"),
            alt.Tooltip("plan:N"),
            alt.Tooltip("usd:Q", format="$,.6f", title="USD a ticket"),
        ],
    )
    totals = ", ".join(f"{plan} {bill.total}" for plan, bill in plans.items())
    said = f"Bars of cost by stage and plan. {title}. In total: {totals}."
    return Chart(tall(base.mark_bar(), 300), said, title)


def _plan_colour() -> Any:
    scale = alt.Scale(domain=list(PLANS), range=[COLOUR[p] for p in PLANS])
    return alt.Color("plan:N", scale=scale, legend=alt.Legend(title=None, orient="top"))


def waterfall_frame(levers: Sequence[Lever]) -> pd.DataFrame:
    """Start and end of each bar in USD, so that the sums can be tested."""
    rows, level = [], Decimal(0)
    for order, lever in enumerate(levers):
        start, end = (Decimal(0), lever.usd) if lever.is_level else (level, level + lever.usd)
        kind = "level" if lever.is_level else "saves" if lever.usd <= 0 else "adds"
        text = usd(lever.usd) if lever.is_level else f"{'+' if lever.usd > 0 else ''}{usd(lever.usd)}"
        rows.append(
            {"order": order, "name": lever.name, "start": float(start), "end": float(end), "kind": kind, "label": text}
        )
        level = end
    return pd.DataFrame(rows)


def waterfall(levers: Sequence[Lever], per: str = "a ticket") -> Chart:
    """How the cost of a ticket or of a month falls from lever to lever."""
    frame = waterfall_frame(levers)
    changes = [lever for lever in levers if not lever.is_level]
    title, subtitle = _waterfall_title({lever.name: lever.usd for lever in changes}, per)
    colours = alt.Scale(domain=["level", "saves", "adds"], range=[COLOUR["before"], COLOUR["kr-auto"], "#D55E00"])
    base = alt.Chart(frame).encode(
        y=alt.Y("name:N", sort=list(frame.name), title=None, axis=alt.Axis(labelLimit=160, labelOverlap=False))
    )
    bars = base.mark_bar().encode(
        x=alt.X(
            "start:Q", title=f"USD {per}", axis=alt.Axis(format="$,.3f" if per == "a ticket" else "$~s", tickCount=5)
        ),
        x2="end:Q",
        color=alt.Color("kind:N", scale=colours, legend=alt.Legend(title=None, orient="top")),
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("label:N", title=f"USD {per}")],
    )
    labels = base.mark_text(align="left", dx=5, fontSize=12).encode(
        x=alt.X("high:Q"), text="label:N", color=alt.value(GREY)
    )
    labelled = alt.layer(bars, labels).transform_calculate(high="max(datum.start, datum.end)")
    steps = "; ".join(f"{name} {label}" for name, label in zip(frame.name, frame.label, strict=True))
    said = f"Waterfall. {title}. {subtitle} {steps}."
    return Chart(tall(labelled, 24 * len(frame) + 110), said, title, subtitle)


OURS = ("Tiers", "Routing", "Prompt caching", "Repeated tickets, cached")
"""Changes that this product makes; the market's, and what goes wrong, are not its own."""


def _waterfall_title(changes: Mapping[str, Decimal], per: str) -> tuple[str, str]:
    ours = sum((v for name, v in changes.items() if name in OURS), Decimal(0))
    once = "" if per == "a ticket" else ", before tickets come back"
    said = f"Tiers, routing and caching {'could save' if ours < 0 else 'add'} {usd(abs(ours))} {per}{once}"
    market = changes.get(MARKET, Decimal(0))
    return said, f"Cheaper models since 2025 saved {usd(-market)} before that." if market < 0 else ""
