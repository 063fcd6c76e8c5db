"""Charts of a priced log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from playground.batch_costs import UNPRICED
from playground.charts.style import COLOUR, Chart, tall
from playground.log_pricing import PricedBatch
from playground.log_summary import LEAST, Customers, Group, PlanSummary
from playground.money import usd
from playground.records import Plan

SHOWN_CUSTOMERS = 12
OTHERS, NOBODY = "all others", "no customer named"
_LONGEST_NAME = 40


def plan_colour(plans: Sequence[str]) -> Any:
    """A plan's colour, the same on every chart."""
    scale = alt.Scale(domain=list(plans), range=[COLOUR[p] for p in plans])
    return alt.Color("plan:N", scale=scale, legend=alt.Legend(title=None, orient="top"))


def spend_by_day(days: Sequence[Group]) -> Chart:
    """What one round for each day's tickets costs under each plan."""
    dated = [g for g in days if g.name]
    if len(dated) < 2:
        return Chart(None, "Spend by day needs a column of dates with at least two days.")
    rows = [
        {"day": g.name, "plan": plan, "usd": float(spent), "tickets": g.tickets}
        for g in dated
        for plan, spent in g.usd.items()
    ]
    plans = list(dated[0].usd)
    busiest = max(dated, key=lambda g: g.tickets)
    title = f"{busiest.tickets:,} tickets came on the busiest day, {busiest.name}"
    lines = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=len(dated) <= 62)
        .encode(
            x=alt.X("day:T", title="Day", axis=alt.Axis(format=_day_format(dated), tickCount=8)),
            y=alt.Y("usd:Q", title="USD a day", axis=alt.Axis(format="$~s", tickCount=5)),
            color=plan_colour(plans),
            tooltip=["day:T", "plan:N", "tickets:Q", alt.Tooltip("usd:Q", format="$,.4f", title="USD")],
        )
    )
    spent = ", ".join(f"{plan} {usd(busiest.usd[plan])}" for plan in plans)
    return Chart(
        tall(lines, 260), f"Lines of spend by day, {dated[0].name} to {dated[-1].name}. {title}: {spent}.", title
    )


def _day_format(dated: Sequence[Group]) -> str:
    return "%-d %b" if dated[0].name[:4] == dated[-1].name[:4] else "%b %Y"


def spend_by_customer(customers: Customers, plan: Plan) -> Chart:
    """The customers that cost most under a plan."""
    if customers.count < 2:
        return Chart(None, "Spend by customer needs a column of customers with at least two of them.")
    ranked = sorted(customers.dearest, key=lambda g: -g.usd[plan])[:SHOWN_CUSTOMERS]
    total = customers.total_usd[plan] or Decimal(1)
    rows = [_customer(g, plan, total) for g in ranked]
    if rest := customers.count - len(ranked):
        left = customers.total_usd[plan] - _sum(ranked, plan)
        rows.append(
            {"customer": f"{OTHERS} ({rest:,})", "usd": float(left), "tickets": None, "share": float(left / total)}
        )
    frame = pd.DataFrame(rows)
    top = max(1, customers.count // 10)
    title = (
        f"The top {top:,} of {customers.count:,} customers carry {customers.top_tenth[plan]:.0%} of the {plan} spend"
    )
    bars = (
        alt.Chart(frame)
        .mark_bar(color=COLOUR[plan])
        .encode(
            y=alt.Y(
                "customer:N", sort=list(frame.customer), title=None, axis=alt.Axis(labelLimit=170, labelOverlap=False)
            ),
            x=alt.X("usd:Q", title="USD, one round each", axis=alt.Axis(format="$~s", tickCount=5)),
            tooltip=[
                "customer:N",
                alt.Tooltip("tickets:Q", format=","),
                alt.Tooltip("usd:Q", format="$,.4f", title="USD"),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
    )
    said = "; ".join(f"{r['customer']} {r['share']:.1%}" for r in rows)
    return Chart(tall(bars, 26 * len(frame) + 60), f"Bars of spend by customer under {plan}. {title}. {said}.", title)


def _sum(groups: Sequence[Group], plan: Plan) -> Decimal:
    return sum((g.usd[plan] for g in groups), Decimal(0))


def _customer(group: Group, plan: Plan, total: Decimal) -> dict[str, object]:
    spent = group.usd[plan]
    name = group.name or NOBODY
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\u2026"
    return {"customer": short, "usd": float(spent), "tickets": group.tickets, "share": float(spent / total)}


def cost_distribution(batch: PricedBatch) -> Chart:
    """Cost of one round against the share of tickets that cost no more."""
    shares = np.arange(1, _highest(len(batch.ids)) + 1)
    rows: list[dict[str, object]] = []
    ends = []
    for plan in batch.costs:
        costs = batch.ticket_costs(plan)
        priced = costs[costs < UNPRICED]
        if len(priced) < LEAST[90]:
            return Chart(None, f"How costs are spread needs {LEAST[90]} priced tickets.")
        found = np.quantile(priced, shares / 100, method="inverted_cdf") / 1e12
        rows += [{"share": float(s) / 100, "usd": float(c), "plan": plan} for s, c in zip(shares, found, strict=True)]
        top = found[-1] / max(found[49], 1e-12)
        ends.append(f"{plan} {usd(Decimal(str(found[49])))} and {usd(Decimal(str(found[-1])))}")
    high = int(shares[-1])
    title = f"Under {list(batch.costs)[-1]} a ticket at the {high}th percentile costs {top:.2f} times the median"
    lines = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line()
        .encode(
            x=alt.X("share:Q", title="Share of tickets that cost no more", axis=alt.Axis(format="%", tickCount=5)),
            y=alt.Y("usd:Q", title="USD a ticket, one round", axis=alt.Axis(format="$,.3f", tickCount=5)),
            color=plan_colour(list(batch.costs)),
            tooltip=["plan:N", alt.Tooltip("share:Q", format=".0%"), alt.Tooltip("usd:Q", format="$,.6f", title="USD")],
        )
    )
    said = (
        f"Lines of a ticket's cost by the share of tickets that cost no more. {title}. Median and {high}th percentile: "
    )
    return Chart(tall(lines, 260), f"{said}{'; '.join(ends)}.", title)


def _highest(tickets: int) -> int:
    """The highest percentile that so many tickets can tell."""
    return max((p for p, least in LEAST.items() if tickets >= least), default=50)


def cost_by_stage(summaries: Mapping[Plan, PlanSummary], titles: Mapping[str, str]) -> Chart:
    """Where an average ticket's money goes, stage by stage."""
    rows = [
        {"stage": titles[key], "plan": plan, "usd": float(spent / max(1, s.tickets - s.unpriced_tickets))}
        for plan, s in summaries.items()
        for key, spent in s.stages_usd.items()
    ]
    frame = pd.DataFrame(rows)
    first = frame[frame.plan == next(iter(summaries))]
    dearest = first.sort_values("usd").iloc[-1]
    share = dearest.usd / max(first.usd.sum(), 1e-12)
    title = f"{dearest.stage} is {share:.0%} of today's cost"
    bars = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y(
                "stage:N", sort=list(titles.values()), title=None, axis=alt.Axis(labelLimit=180, labelOverlap=False)
            ),
            yOffset=alt.YOffset("plan:N", sort=list(summaries)),
            x=alt.X("usd:Q", title="USD an average ticket, one round", axis=alt.Axis(format="$,.3f", tickCount=5)),
            color=plan_colour(list(summaries)),
            tooltip=["stage:N", "plan:N", alt.Tooltip("usd:Q", format="$,.6f", title="USD a ticket")],
        )
    )
    totals = ", ".join(f"{plan} {usd(s.mean_usd)}" for plan, s in summaries.items())
    return Chart(tall(bars, 300), f"Bars of cost by stage and plan. {title}. A ticket in all: {totals}.", title)
