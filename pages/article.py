"""The founding article's table beside ours."""

from __future__ import annotations

import streamlit as st

from playground.article import PUBLISHED_TAIL, PUBLISHED_TOTALS, recompute
from playground.forecast import Assumptions
from playground.money import percent_change, usd
from playground.prices import PRICE_DATE
from playground.ui.widgets import dollars, table

article = recompute()
base = PUBLISHED_TOTALS["before"]
stated = Assumptions()
right = st.column_config.TextColumn(alignment="right")

st.title("The article, recomputed")
st.markdown(
    dollars(
        f"**At list price the article's ticket costs {usd(article.cost_usd)}, not {usd(base)}.** Its models, calls and token counts are "
        "its own; the prices are each model's list price. The difference would need the input tokens in the last column to have been "
        "sent with every call and left out of the table; no single assumption explains it."
    )
)
st.caption(
    f"Source: KairosRoute, Scaling an AI Support Agent from 5K to 100K Tickets a Month. Prices of {PRICE_DATE:%-d %B %Y}; retired models at their last list price."
)
rows = [
    {
        "Stage": r.title, "Calls": r.calls, "Model": r.model, "In a call": r.input_tokens, "Out a call": r.output_tokens,
        "Published": usd(r.published_usd), "List price": usd(r.cost_usd), "Difference": usd(r.difference_usd),
        "Unlisted input tokens a call": f"{r.unlisted_input_tokens:,}",
    }
    for r in article.rows
]  # fmt: skip
rows.append(
    {
        "Stage": "Per ticket",
        "Calls": sum(r.calls for r in article.rows),
        "Published": usd(base),
        "List price": usd(article.cost_usd),
        "Difference": usd(base - article.cost_usd),
    }
)
table(
    rows,
    {k: right for k in ("Published", "List price", "Difference", "Unlisted input tokens a call")},
    "The article's stages, published and at list price",
    "content",
)

st.subheader("After stratification")
tiers = [
    {"Stage": r.title, "Tier model": r.tier_model, "Published": usd(r.published_stratified_usd), "List price": usd(r.stratified_usd)} for r in article.rows
]  # fmt: skip
tiers.append(
    {"Stage": "Per ticket", "Published": usd(PUBLISHED_TOTALS["stratified"]), "List price": usd(article.stratified_usd)}
)
table(
    tiers,
    {k: right for k in ("Published", "List price")},
    "The article's tiers, published and at list price",
    "content",
)
saved, published = (
    percent_change(article.stratified_usd, article.cost_usd),
    percent_change(PUBLISHED_TOTALS["stratified"], base),
)
st.caption(
    f"Published: {published}. At list price: {saved}. Cheap is claude-haiku-4-5, mid is claude-sonnet-4-5, frontier is claude-opus-4-1."
)

st.subheader("The other totals")
others = [
    {"Figure": "kr-auto, a ticket", "Published": usd(PUBLISHED_TOTALS["kr-auto"]), "Recomputed": "see the notebook", "Why it differs": "Which models the article's router picked is not published, so it cannot be recomputed. Run a ticket with the article-2025 agent to see what this router picks."},
    {"Figure": "All in, per resolved ticket", "Published": usd(PUBLISHED_TOTALS["all-in"]), "Recomputed": f"{usd(article.all_in_usd)} ({usd(article.all_in_at_list_usd)} at list price)", "Why it differs": f"Loop twice at the 95th percentile (log-normal, mean {stated.mean_loop_factor:.3f}) and {stated.escalation_share:.0%} escalated. The published figure implies a mean loop factor of {article.implied_loop_factor:.2f}."},
    {"Figure": "A ticket at the 95th percentile", "Published": usd(PUBLISHED_TAIL), "Recomputed": f"{usd(base * 2)} ({usd(article.cost_usd * 2)} at list price)", "Why it differs": "Twice the loop is twice the cost of a ticket."},
]  # fmt: skip
table(
    others, {"Why it differs": st.column_config.TextColumn(width="large")}, "Further totals of the article", "content"
)
