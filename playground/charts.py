"""Records into Altair charts. Each takes plain numbers, states its finding in the title, and has alt text to go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import altair as alt
import pandas as pd

from playground.bill import MARKET, Lever, PlanBill
from playground.forecast import Assumptions, Month, month, volumes
from playground.money import usd
from playground.pipeline import Pipeline
from playground.records import PLANS, Bar, Considered, Decision, Plan

# Okabe and Ito's colour-blind-safe palette; a plan keeps its colour on every page, and its label repeats it.
COLOUR = {"before": "#6b7280", "stratified": "#0072B2", "kr-auto": "#009E73", "people": "#E69F00"}
GREY = "#808a87"
PEOPLE = "people, for the tickets it resolves"
_DECADES = [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
_LOG_VOLUME = alt.Scale(type="log")
SHAPE = {"passes": "circle", "below the bar": "cross", "insufficient evidence": "triangle-up", "not allowed": "square"}


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the sentence a screen reader gets in its place."""

    chart: Any
    alt: str


def _titled(chart: Any, title: str, subtitle: str = "", height: int | None = None) -> Any:
    heading = alt.TitleParams(
        title, subtitle=subtitle or alt.Undefined, anchor="start", fontSize=14, subtitleFontSize=12, offset=8
    )
    return chart.properties(title=heading, height=height or alt.Undefined)


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
    return Chart(
        _titled(base.mark_bar(), title, height=300), f"Bars of cost by stage and plan. {title}. In total: {totals}."
    )


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


def waterfall(levers: Sequence[Lever]) -> Chart:
    """How a ticket's cost falls from lever to lever."""
    frame = waterfall_frame(levers)
    changes = [lever for lever in levers if not lever.is_level]
    best = min(changes, key=lambda lever: lever.usd)
    title = (
        f"{best.name} saves most: {usd(-best.usd)} a ticket" if best.usd < 0 else "No lever saves money on this ticket"
    )
    colours = alt.Scale(domain=["level", "saves", "adds"], range=[COLOUR["before"], COLOUR["kr-auto"], "#D55E00"])
    base = alt.Chart(frame).encode(
        y=alt.Y("name:N", sort=list(frame.name), title=None, axis=alt.Axis(labelLimit=160, labelOverlap=False))
    )
    bars = base.mark_bar().encode(
        x=alt.X("start:Q", title="USD a ticket", axis=alt.Axis(format="$,.3f", tickCount=5)),
        x2="end:Q",
        color=alt.Color("kind:N", scale=colours, legend=alt.Legend(title=None, orient="top")),
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("label:N", title="USD a ticket")],
    )
    labels = base.mark_text(align="left", dx=5, fontSize=12).encode(
        x=alt.X("high:Q"), text="label:N", color=alt.value(GREY)
    )
    labelled = alt.layer(bars, labels).transform_calculate(high="max(datum.start, datum.end)")
    steps = "; ".join(f"{name} {label}" for name, label in zip(frame.name, frame.label, strict=True))
    return Chart(_titled(labelled, title, height=26 * len(frame)), f"Waterfall. {title}. {steps}.")


def _waterfall_title(changes: Mapping[str, Decimal]) -> str:
    ours = sum((v for name, v in changes.items() if name != MARKET), Decimal(0))
    said = (
        f"Tiers, routing and caching save {usd(-ours)} a ticket"
        if ours < 0
        else f"Tiers, routing and caching add {usd(ours)} a ticket"
    )
    market = changes.get(MARKET)
    return said if not market else f"{said}; cheaper models on the market {usd(-market)}"


def spend_by_volume(cost_usd: Mapping[Plan, Decimal], a: Assumptions) -> Chart:
    """What the agent costs against volume, beside people answering the tickets it resolves; they cross at break-even."""
    frame = _volume_frame(cost_usd, a)
    domain = [*cost_usd, PEOPLE]
    scale = alt.Scale(domain=domain, range=[COLOUR[p] for p in cost_usd] + [COLOUR["people"]])
    dash = alt.Scale(domain=domain, range=[[1, 0]] * len(cost_usd) + [[6, 4]])
    lines = (
        alt.Chart(frame)
        .mark_line()
        .encode(
            x=alt.X(
                "tickets:Q", scale=_LOG_VOLUME, title="Tickets a month", axis=alt.Axis(format="~s", values=_DECADES)
            ),
            y=alt.Y(
                "usd:Q", scale=alt.Scale(type="log"), title="USD a month", axis=alt.Axis(format="$~s", tickCount=5)
            ),
            color=alt.Color(
                "who:N", scale=scale, legend=alt.Legend(title=None, orient="top", columns=2, labelLimit=400)
            ),
            strokeDash=alt.StrokeDash("who:N", scale=dash, legend=None),
            tooltip=[
                alt.Tooltip("who:N", title="plan"),
                alt.Tooltip("tickets:Q", format=","),
                alt.Tooltip("usd:Q", format="$,.0f"),
            ],
        )
    )
    here = alt.Chart(pd.DataFrame({"tickets": [a.tickets_per_month]})).mark_rule(color=GREY).encode(x="tickets:Q")
    layers = [lines, here]
    result = month(cost_usd["kr-auto"], a)
    if result.break_even_tickets and result.break_even_tickets > volumes()[0]:
        mark = pd.DataFrame({"tickets": [result.break_even_tickets]})
        layers.append(alt.Chart(mark).mark_rule(color=COLOUR["people"], strokeDash=[2, 2]).encode(x="tickets:Q"))
    title = _volume_title(result.break_even_tickets)
    subtitle = "n = 1 ticket, so no range. Grey line: your volume."
    alt_text = f"Lines of monthly spend by volume. {title}. At {a.tickets_per_month:,} tickets: "
    alt_text += ", ".join(f"{plan} {usd(month(cost, a).agent_usd)}" for plan, cost in cost_usd.items())
    return Chart(_titled(alt.layer(*layers), title, subtitle, 320), alt_text + ".")


def _volume_title(break_even: int | None) -> str:
    if break_even is None:
        return "kr-auto costs more than the people it replaces, at every volume"
    if break_even <= volumes()[0]:
        return "kr-auto costs less than the people it replaces, at every volume"
    return f"kr-auto costs less than the people it replaces from {break_even:,} tickets a month"


def _volume_frame(cost_usd: Mapping[Plan, Decimal], a: Assumptions) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for tickets in volumes():
        at = replace(a, tickets_per_month=tickets)
        rows += [
            {"tickets": tickets, "who": plan, "usd": float(month(cost, at).agent_usd)}
            for plan, cost in cost_usd.items()
        ]
        rows.append({"tickets": tickets, "who": PEOPLE, "usd": float(tickets * a.resolved_share * a.human_cost_usd)})
    frame = pd.DataFrame(rows)
    return frame[frame.usd > 0]


def month_parts(months: Mapping[Plan, Month]) -> Chart:
    """A month's all-in cost by part, for each plan and for people alone."""
    parts = ["models", "repeats", "fixed", "people"]
    rows = [
        {"who": plan, "part": part, "usd": float(value), "order": parts.index(part)}
        for plan, m in months.items()
        for part, value in zip(parts, (m.models_usd, m.repeats_usd, m.fixed_usd, m.people_usd), strict=True)
    ]
    people = months["before"].people_only_usd
    rows.append({"who": "people only", "part": "people", "usd": float(people), "order": 3})
    scale = alt.Scale(domain=parts, range=[COLOUR["kr-auto"], "#56B4E9", COLOUR["before"], COLOUR["people"]])
    bars = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            y=alt.Y("who:N", sort=[*months, "people only"], title=None, axis=alt.Axis(labelOverlap=False)),
            x=alt.X("usd:Q", title="USD a month, all in", axis=alt.Axis(format="$~s", tickCount=5)),
            color=alt.Color("part:N", scale=scale, sort=parts, legend=alt.Legend(title=None, orient="top")),
            order="order:Q",
            tooltip=[alt.Tooltip("who:N", title="plan"), "part:N", alt.Tooltip("usd:Q", format="$,.0f")],
        )
    )
    routed = months["kr-auto"]
    share = routed.people_usd / routed.all_in_usd if routed.all_in_usd else Decimal(0)
    title = f"People for escalated tickets are {share:.0%} of the kr-auto month"
    totals = ", ".join(f"{plan} {usd(m.all_in_usd)}" for plan, m in months.items())
    return Chart(
        _titled(bars, title, height=180),
        f"Bars of a month's cost. {title}. All in: {totals}, people only {usd(people)}.",
    )


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
    chart = _titled(
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
