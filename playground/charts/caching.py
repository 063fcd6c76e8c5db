"""Charts of what caching would save on a log."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import altair as alt
import pandas as pd

from playground.cache_share import CacheSavings
from playground.charts.style import GREY, Chart, tall
from playground.forecast import volumes
from playground.log_caching import LogCaching
from playground.money import ZERO, usd

CACHES = {"exact": "Whole answers", "semantic": "Same question, other words", "prefix": "Fixed part, at the provider"}
_COLOURS = {"exact": "#56B4E9", "semantic": "#CC79A7", "prefix": "#D55E00"}
"""Of Okabe and Ito's palette, those that are no plan's."""


def saved_by_stage(found: LogCaching, titles: Mapping[str, str], tickets_per_month: int) -> Chart:
    """What each cache takes off each stage in a month."""
    n = Decimal(tickets_per_month)
    rows = [
        {"stage": titles.get(s.stage, s.stage), "cache": CACHES[cache], "usd": float(a_ticket * n)}
        for s in found.stages
        for cache, a_ticket in (
            ("exact", s.exact_usd),
            ("semantic", s.semantic_usd),
            ("prefix", _prefix(found.savings, s.stage, tickets_per_month)),
        )
    ]
    title = _finding(found.savings, tickets_per_month)
    bars = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            y=alt.Y(
                "stage:N",
                sort=[titles.get(s.stage, s.stage) for s in found.stages],
                title=None,
                axis=alt.Axis(labelLimit=180, labelOverlap=False),
            ),
            x=alt.X("usd:Q", title="USD saved a month", axis=alt.Axis(format="$~s", tickCount=5)),
            color=alt.Color(
                "cache:N",
                scale=alt.Scale(domain=list(CACHES.values()), range=list(_COLOURS.values())),
                legend=alt.Legend(title=None, orient="top", columns=1, labelLimit=300),
            ),
            tooltip=["stage:N", "cache:N", alt.Tooltip("usd:Q", format="$,.2f", title="USD a month")],
        )
    )
    whole = found.savings.by_cache(tickets_per_month)
    said = "; ".join(f"{CACHES[cache]}: {usd(saved)} a month" for cache, saved in whole.items())
    return Chart(tall(bars, 300), f"Bars of what caching saves by stage. {title}. {said}.", title)


def _prefix(savings: CacheSavings, stage: str, tickets_per_month: int) -> Decimal:
    return sum((p.left.saved_usd(tickets_per_month) for p in savings.prefixes if p.left.stage == stage), ZERO)


def _finding(savings: CacheSavings, tickets_per_month: int) -> str:
    saved = savings.saving_usd_per_ticket(tickets_per_month)
    share = saved / savings.one_round_usd if savings.one_round_usd else ZERO
    if saved < 0:
        return f"All three caches would add {-share:.1%} to the cost of models"
    return f"All three caches would take {share:.1%} off the cost of models"


def prefix_by_volume(savings: CacheSavings, tickets_per_month: int) -> Chart:
    """What caching the fixed part saves a ticket, against tickets a month: seldom calls pay for writing and never read."""
    if not savings.prefixes:
        return Chart(
            None,
            "No stage's fixed part is long enough for its model to cache it, so the provider's cache saves nothing.",
        )
    points = sorted({100, 200, 500, *volumes(), tickets_per_month})
    saved = {n: savings.prefix_saving_usd_per_ticket(n, alone=True) for n in points}
    frame = pd.DataFrame({"tickets": n, "usd": float(a_ticket)} for n, a_ticket in saved.items())
    title = _volume_finding(saved)
    line = (
        alt.Chart(frame)
        .mark_line(color=_COLOURS["prefix"])
        .encode(
            x=alt.X(
                "tickets:Q",
                scale=alt.Scale(type="log"),
                title="Tickets a month",
                axis=alt.Axis(format="~s", tickCount=5),
            ),
            y=alt.Y("usd:Q", title="USD saved a ticket", axis=alt.Axis(format="$~f", tickCount=5)),
            tooltip=[alt.Tooltip("tickets:Q", format=","), alt.Tooltip("usd:Q", format="$,.6f", title="USD a ticket")],
        )
    )
    here = alt.Chart(frame[frame.tickets == tickets_per_month]).mark_point(
        size=90, filled=True, color=_COLOURS["prefix"]
    )
    point = here.encode(x="tickets:Q", y="usd:Q")
    zero = alt.Chart(pd.DataFrame({"usd": [0.0]})).mark_rule(color=GREY, strokeDash=[4, 4]).encode(y="usd:Q")
    said = f"At {tickets_per_month:,} tickets a month, the marked point, it saves {usd(saved[tickets_per_month])} a ticket."
    return Chart(
        tall(zero + line + point, 300), f"A line of what prompt caching saves by volume. {title}. {said}", title
    )


def _volume_finding(saved: Mapping[int, Decimal]) -> str:
    lost = [n for n, a_ticket in saved.items() if a_ticket < 0]
    if not lost:
        return "Caching the fixed part never costs more than it saves here, and saves more the more tickets come"
    paying = min((n for n in saved if n > max(lost)), default=None)
    if paying is None:
        return "Caching the fixed part costs more than it saves at every volume"
    return f"Caching the fixed part costs more than it saves below about {paying:,} tickets a month"
