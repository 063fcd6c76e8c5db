"""Charts of a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import altair as alt
import pandas as pd

from playground.charts.style import COLOUR, GREY, Chart, tall
from playground.forecast import Assumptions, Month, Spend, break_even_tickets, month, volumes
from playground.money import usd
from playground.records import Plan

PEOPLE = "people, for the tickets it resolves"
_DECADES = [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
_LOG_VOLUME = alt.Scale(type="log")


def spend_by_volume(spends: Mapping[Plan, Spend], a: Assumptions) -> Chart:
    """What the agent costs against volume, beside people answering the tickets it resolves; they cross at break-even."""
    frame = _volume_frame(spends, a)
    domain = [*spends, PEOPLE]
    scale = alt.Scale(domain=domain, range=[COLOUR[p] for p in spends] + [COLOUR["people"]])
    dash = alt.Scale(domain=domain, range=[[1, 0]] * len(spends) + [[6, 4]])
    legend = alt.Legend(title=None, orient="top", columns=2, labelLimit=400)
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
            color=alt.Color("who:N", scale=scale, legend=legend),
            strokeDash=alt.StrokeDash("who:N", scale=dash, legend=legend),
            tooltip=[
                alt.Tooltip("who:N", title="plan"),
                alt.Tooltip("tickets:Q", format=","),
                alt.Tooltip("usd:Q", format="$,.0f"),
            ],
        )
    )
    here = alt.Chart(pd.DataFrame({"tickets": [a.tickets_per_month]})).mark_rule(color=GREY).encode(x="tickets:Q")
    layers = [lines, here]
    even = break_even_tickets(spends["kr-auto"], a)
    if even and even > volumes()[0]:
        mark = pd.DataFrame({"tickets": [even]})
        layers.append(alt.Chart(mark).mark_rule(color=COLOUR["people"], strokeDash=[2, 2]).encode(x="tickets:Q"))
    title = _volume_title(even)
    subtitle = "Grey line: your volume."
    alt_text = f"Lines of monthly spend by volume. {title}. At {a.tickets_per_month:,} tickets: "
    alt_text += ", ".join(f"{plan} {usd(month(cost, a).agent_usd)}" for plan, cost in spends.items())
    return Chart(tall(alt.layer(*layers), 320), alt_text + ".", title, subtitle)


def _volume_title(break_even: int | None) -> str:
    if break_even is None:
        return "kr-auto costs more than the people it replaces, at every volume"
    if break_even <= volumes()[0]:
        return "kr-auto costs less than the people it replaces, at every volume"
    return f"kr-auto costs less than the people it replaces from {break_even:,} tickets a month"


def _volume_frame(spends: Mapping[Plan, Spend], a: Assumptions) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for tickets in volumes():
        at = replace(a, tickets_per_month=tickets)
        rows += [
            {"tickets": tickets, "who": plan, "usd": float(month(cost, at).agent_usd)} for plan, cost in spends.items()
        ]
        rows.append({"tickets": tickets, "who": PEOPLE, "usd": float(tickets * a.resolved_share * a.human_cost_usd)})
    frame = pd.DataFrame(rows)
    return frame[frame.usd > 0]


def month_parts(months: Mapping[Plan, Month]) -> Chart:
    """A month's all-in cost by part, for each plan and for people alone."""
    parts = ["models", "retries", "come back", "fixed", "people"]
    rows = [
        {"who": plan, "part": part, "usd": float(value), "order": parts.index(part)}
        for plan, m in months.items()
        for part, value in zip(
            parts, (m.one_round_usd, m.retries_usd, m.repeats_usd, m.fixed_usd, m.people_usd), strict=True
        )
    ]
    people = months["before"].people_only_usd
    rows.append({"who": "people only", "part": "people", "usd": float(people), "order": 4})
    scale = alt.Scale(domain=parts, range=[COLOUR["kr-auto"], "#CC79A7", "#56B4E9", COLOUR["before"], COLOUR["people"]])
    bars = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            y=alt.Y("who:N", sort=[*months, "people only"], title=None, axis=alt.Axis(labelOverlap=False)),
            x=alt.X("usd:Q", title="USD a month, all in", axis=alt.Axis(format="$~s", tickCount=5)),
            color=alt.Color("part:N", scale=scale, sort=parts, legend=alt.Legend(title=None, orient="top", columns=3)),
            order="order:Q",
            tooltip=[alt.Tooltip("who:N", title="plan"), "part:N", alt.Tooltip("usd:Q", format="$,.0f")],
        )
    )
    routed = months["kr-auto"]
    share = routed.people_usd / routed.all_in_usd if routed.all_in_usd else Decimal(0)
    title = f"People for escalated tickets are {share:.0%} of the kr-auto month"
    totals = ", ".join(f"{plan} {usd(m.all_in_usd)}" for plan, m in months.items())
    said = f"Bars of a month's cost. {title}. All in: {totals}, people only {usd(people)}."
    return Chart(tall(bars, 270), said, title)
