"""Charts of customers: who spends most, and how unequal that is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import altair as alt
import pandas as pd

from playground.charts.style import COLOUR, GREY, Chart, tall
from playground.customers import Customer, Customers
from playground.customers.concentration import CLAIMED, Top, curve, gini, top_tenth
from playground.money import usd

LONGEST_NAME = 32
NOBODY = "no customer named"
BAR, REST = COLOUR["kr-auto"], GREY


def customer_bars(customers: Customers, most: int = 12) -> Chart:
    """The dearest customers, the rest as one bar, and what nobody is named for as another."""
    if not customers.count:
        return Chart(None, "No ticket names a customer, so there is nobody to draw.")
    shown = tuple(customers.named(most))
    rows = _bars(customers, shown)
    frame = pd.DataFrame(rows)
    first = shown[0]
    share = customers.share(first)
    title = f"{_short(first.name or '')} spends most: {first.cost}"
    title += "" if share is None else f", {share:.0%} of what customers spend"
    bars = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("label:N", sort=list(frame.label), title=None, axis=alt.Axis(labelLimit=170, labelOverlap=False)),
            x=alt.X(
                "usd:Q", title="USD in the period", axis=alt.Axis(format=_money_format(frame.usd.max()), tickCount=5)
            ),
            color=alt.Color("colour:N", scale=None),
            tooltip=[
                alt.Tooltip("label:N", title="Customer"),
                alt.Tooltip("tickets:Q", format=",", title="Tickets"),
                alt.Tooltip("usd:Q", format="$,.4f", title="USD"),
                alt.Tooltip("said:N", title="Share"),
            ],
        )
    )
    alt_said = "; ".join(f"{r['label']} {usd(Decimal(str(r['usd'])))}" for r in rows)
    note = "" if customers.unattributed is None else " Grey: no customer named, and no customer."
    return Chart(tall(bars, 26 * len(frame) + 50), f"Bars of spend by customer. {title}. {alt_said}.{note}", title)


def _money_format(highest: float) -> str:
    return "$,.4~f" if highest < 0.05 else "$,.2~f" if highest < 10_000 else "$,.3~s"


def _bars(customers: Customers, shown: Sequence[Customer]) -> list[dict[str, object]]:
    labels = _labels([c.name or "" for c in shown])
    rows = [_bar(label, c, customers.share(c), BAR) for label, c in zip(labels, shown, strict=True)]
    if rest := customers.count - len(shown):
        left = customers.named_usd - sum((c.cost.known_usd for c in shown), Decimal(0))
        tickets = customers.total.tickets - sum(c.tickets for c in shown)
        tickets -= customers.unattributed.tickets if customers.unattributed is not None else 0
        share = f"{left / customers.named_usd:.1%}" if customers.named_usd else ""
        rows.append(
            {"label": f"all others ({rest:,})", "usd": float(left), "tickets": tickets, "said": share, "colour": REST}
        )
    if customers.unattributed is not None:
        rows.append(_bar(NOBODY, customers.unattributed, None, REST))
    return rows


def _bar(label: str, customer: Customer, share: Decimal | None, colour: str) -> dict[str, object]:
    said = "not a customer" if share is None else f"{share:.1%} of customers' spend"
    spent = float(customer.cost.known_usd)
    return {"label": label, "usd": spent, "tickets": customer.tickets, "said": said, "colour": colour}


def _labels(names: Sequence[str]) -> list[str]:
    """Short names, told apart where two begin alike: bars of one name would be added up."""
    seen: dict[str, int] = {}
    labels = []
    for name in names:
        short = _short(name)
        seen[short] = seen.get(short, 0) + 1
        labels.append(short if seen[short] == 1 else f"{short} ({seen[short]})")
    return labels


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}\u2026"


def concentration_curve(customers: Customers) -> Chart:
    """The cumulative share of spend, the dearest customers first, against a line where all spend the same."""
    spends = customers.spends_usd
    top, points, coefficient = top_tenth(customers), curve(spends), gini(spends)
    if top is None or coefficient is None:
        return Chart(None, "How unequal spend is needs at least two customers with spend.")
    line = (
        alt.Chart(pd.DataFrame(points, columns=["customers", "spend"]))
        .mark_line(color=BAR)
        .encode(
            x=alt.X(
                "customers:Q", title="Share of customers, the dearest first", axis=alt.Axis(format="%", tickCount=5)
            ),
            y=alt.Y("spend:Q", title="Share of spend", axis=alt.Axis(format="%", tickCount=5)),
            tooltip=[
                alt.Tooltip("customers:Q", format=".1%", title="Customers"),
                alt.Tooltip("spend:Q", format=".1%", title="Spend"),
            ],
        )
    )
    layers = [_equal(), line, *_marks(top)]
    said = f"Curve of cumulative spend. {top}. Gini coefficient {coefficient:.2f}."
    subtitle = f"Gini coefficient {coefficient:.2f}: 0 where all spend the same, near 1 where one spends all. {CLAIMED}"
    return Chart(tall(alt.layer(*layers), 300), said, str(top), subtitle)


def _equal() -> alt.Chart:
    ends = pd.DataFrame({"customers": [0.0, 1.0], "spend": [0.0, 1.0]})
    return alt.Chart(ends).mark_line(color=GREY, strokeDash=[6, 4]).encode(x="customers:Q", y="spend:Q")


def _marks(top: Top) -> list[alt.Chart]:
    at = pd.DataFrame(
        {"customers": [top.customers / top.of], "spend": [float(top.share)], "said": [f"{top.share:.0%}"]}
    )
    point = alt.Chart(at).mark_point(filled=True, size=90, color=BAR).encode(x="customers:Q", y="spend:Q")
    label = alt.Chart(at).mark_text(align="left", dx=9, dy=9, fontWeight="bold", color=GREY)
    return [point, label.encode(x="customers:Q", y="spend:Q", text="said:N")]
