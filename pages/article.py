"""The founding article's table beside ours."""

from __future__ import annotations

import streamlit as st

from playground.article import MEAN_ROUNDS, PUBLISHED_TAIL, PUBLISHED_TOTALS, Article, on_models, recompute, routed
from playground.catalog import load_catalog
from playground.forecast import Assumptions
from playground.money import percent_change, usd
from playground.pipeline import load_shipped
from playground.prices import PRICE_DATE
from playground.records import Candidate
from playground.ui.frame import ensure_frame
from playground.ui.widgets import dollars, figure, figures_row, table
from playground.workshop import make_router

RIGHT = st.column_config.TextColumn(alignment="right")
BASE = PUBLISHED_TOTALS["before"]


def answer(article: Article) -> None:
    with figures_row():
        figure("Published, a ticket", usd(BASE))
        figure("At list price", usd(article.cost_usd))
        figure(
            "On models of 2026", usd(today()), percent_change(today(), article.cost_usd), "Change against list price."
        )
        figure("With this router", usd(ours()), percent_change(ours(), today()), "Change against models of 2026.")
    st.markdown(
        dollars(
            f"**At list price the article's ticket costs {usd(article.cost_usd)}, not {usd(BASE)}.** Models, calls and token "
            "counts are the article's own. The difference would need the input tokens in the last column to have been sent with "
            "every call and left out of the table; no single assumption explains it. Most of any saving quoted against these "
            f"models is the market's: on models of 2026 the same tokens cost {usd(today())}."
        )
    )
    st.caption(
        "Source: KairosRoute, Scaling an AI Support Agent from 5K to 100K Tickets a Month. "
        f"Prices of {PRICE_DATE:%-d %B %Y}; retired models at their last list price. Nothing here was run: tokens x price."
    )


@st.cache_data
def today():  # type: ignore[no-untyped-def]
    flow = load_shipped("support")
    return on_models(lambda stage: Candidate(load_catalog().by_name(flow.stage(stage.key).before)))


@st.cache_data
def ours():  # type: ignore[no-untyped-def]
    return routed(make_router(load_shipped("support")))


def stages(article: Article) -> None:
    rows: list[dict[str, object]] = [
        {
            "Stage": r.title,
            "Calls": r.calls,
            "Model": r.model,
            "In a call": r.input_tokens,
            "Out a call": r.output_tokens,
            "Published": usd(r.published_usd),
            "List price": usd(r.cost_usd),
            "Difference": usd(r.difference_usd),
            "Unlisted input tokens a call": f"{r.unlisted_input_tokens:,}",
        }
        for r in article.rows
    ]
    total = {"Stage": "Per ticket", "Calls": sum(r.calls for r in article.rows), "Published": usd(BASE)}
    rows.append({**total, "List price": usd(article.cost_usd), "Difference": usd(BASE - article.cost_usd)})
    money = ("Published", "List price", "Difference", "Unlisted input tokens a call")
    table(rows, dict.fromkeys(money, RIGHT), "The article's stages, published and at list price", "content")


def tiers(article: Article) -> None:
    st.subheader("After stratification")
    rows = [
        {
            "Stage": r.title,
            "Tier model": r.tier_model,
            "Published": usd(r.published_stratified_usd),
            "List price": usd(r.stratified_usd),
        }
        for r in article.rows
    ]
    published, ours_usd = PUBLISHED_TOTALS["stratified"], article.stratified_usd
    rows.append({"Stage": "Per ticket", "Published": usd(published), "List price": usd(ours_usd)})
    table(
        rows,
        dict.fromkeys(("Published", "List price"), RIGHT),
        "The article's tiers, published and at list price",
        "content",
    )
    st.caption(
        dollars(
            f"Published: {percent_change(published, BASE)}. At list price: {percent_change(ours_usd, article.cost_usd)}. "
            f"The published rows add up to {usd(sum(r.published_stratified_usd for r in article.rows))}; its total is rounded."
        )
    )


def others(article: Article) -> None:
    stated = Assumptions()
    st.subheader("The other totals")
    st.markdown(
        dollars(
            f"- **kr-auto: {usd(PUBLISHED_TOTALS['kr-auto'])} published, {usd(ours())} here.** Which models the article's router "
            "picked is not published, so its figure cannot be recomputed. Ours is what this router picks for the article's token "
            "counts at today's prices and the support agent's bars; thinking tokens are included.\n"
            f"- **All in: {usd(PUBLISHED_TOTALS['all-in'])} published, {usd(article.all_in_usd)} from its stated assumptions** "
            f"({usd(article.all_in_at_list_usd)} at list price). The loop runs twice at the 95th percentile (log-normal, mean "
            f"{MEAN_ROUNDS:.3f}) and {stated.escalation_share:.0%} of tickets are escalated, so the agent's cost falls "
            f"on the resolved ones. The published figure would need a mean loop factor of {article.implied_loop_factor:.2f}.\n"
            f"- **A ticket at the 95th percentile: about {usd(PUBLISHED_TAIL)} published, {usd(BASE * 2)} from twice the loop** "
            f"({usd(article.cost_usd * 2)} at list price)."
        )
    )


ensure_frame()
st.title("The article, recomputed")
found = recompute()
answer(found)
stages(found)
tiers(found)
others(found)
