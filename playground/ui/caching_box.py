"""What caching would save on the log: whole answers, near-identical questions, and the fixed part of each prompt."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from playground.charts.caching import prefix_by_volume, saved_by_stage
from playground.hit_threshold import LEXICAL
from playground.log_caching import LogCaching
from playground.money import ZERO, usd
from playground.prices import PRICE_DATE
from playground.ui import state
from playground.ui.meaning_view import in_force_said
from playground.ui.widgets import dollars, draw, figure, figures_row, plain, small_usd, table

REFRESH_S = 0.5
RIGHT = st.column_config.TextColumn(alignment="right")
DOING = {"pricing": "Pricing the tickets", "reading": "Reading when they came", "replaying": "Asking them again"}
ORDERS = {
    "time": "in order of arrival",
    "day": "day by day, as the log gives no times",
    "file": "in the order of the file, as it gives no dates; so no answer ever grows too old",
}


def caching_box() -> None:
    """Measured at once for a small log; a large one is asked for, and can be cancelled."""
    st.subheader("What caching would save")
    state.collect_caching()
    desk = state.caching_desk()
    if desk.work is not None:
        _progress()
        return
    stale = desk.mark != state.caching_mark()
    if stale and not desk.error and state.caching_tickets() <= state.AT_ONCE and desk.asked != state.caching_mark():
        state.measure_caching()
        st.rerun()
    if desk.error:
        st.error(plain(desk.error), icon=":material/error:")
    if desk.found is None or stale:
        _offer(desk.found is not None)
    if desk.found is not None:
        _found(desk.found, desk.of_sample)


def _offer(again: bool) -> None:
    n = state.caching_tickets()
    whose = f"{n:,} tickets of your log" if n else "the sample log"
    if again:
        st.warning("The log or the caches' settings changed since this was measured.")
    st.button(
        f"Measure on {whose}", icon=":material/history:", on_click=state.measure_caching, help="No model is called."
    )


@st.fragment(run_every=REFRESH_S)
def _progress() -> None:
    work = state.caching_desk().work
    if work is None or not work.running:
        st.rerun()
        return
    work.look()
    share = 1.0 if work.doing == "replaying" else min(1.0, work.read.share)
    st.progress(share, DOING[work.doing])
    st.button("Cancel", icon=":material/stop:", on_click=state.cancel_caching, key="cancel_caching")


def _found(found: LogCaching, of_sample: bool) -> None:
    n = state.assumptions().tickets_per_month
    _figures(found, n)
    left, right = st.columns(2)
    with left:
        draw(saved_by_stage(found, _titles(), n))
    with right:
        draw(prefix_by_volume(found.savings, n))
    _caches(found, n)
    if worth := _worth(found, n):
        st.info(dollars(worth), icon=":material/balance:")
    if live := _by_meaning():
        st.caption(plain(live))
    st.caption(dollars(_said(found, of_sample)))
    _prefixes(found, n)
    st.page_link("pages/month.py", label=f"At {n:,} tickets a month; change that", icon=":material/calendar_month:")


def _titles() -> dict[str, str]:
    return {s.key: s.title for s in state.pipeline().stages}


def _figures(found: LogCaching, n: int) -> None:
    s = found.savings
    wrong = s.wrong_per_month(n)
    with figures_row():
        figure("Tickets served whole", f"{s.exact_hit_share:.1%}", help_text="By the exact cache, at every stage.")
        figure("Saved a ticket", usd(s.saving_usd_per_ticket(n)), help_text=f"Of {usd(s.one_round_usd)}, by all three.")
        figure("Saved a month", usd(sum(s.by_cache(n).values(), ZERO)), help_text=f"At {n:,} tickets, by all three.")
        figure(
            "Wrong labels a month",
            _number(wrong),
            help_text="From the semantic cache. A wrong hit is worse than a miss.",
        )


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.1f}" if 0 < value < 10 else f"{value:,.0f}"


def _caches(found: LogCaching, n: int) -> None:
    s, by_cache = found.savings, found.savings.by_cache(n)
    false = s.semantic_false_hit_share
    rows = [
        _row("Exact: same words, same customer", f"{s.exact_hit_share:.1%}", f"{found.distinct_bound:.1%}", "none"),
        _row(
            f"Semantic, Intent only, from {found.rules.threshold:.2f} alike",
            f"{s.semantic_hit_share:.1%}",
            "",
            "no hits"
            if not found.semantic.hits.any()
            else "not known"
            if false is None
            else f"{false:.1%} of its hits",
        ),
        _row("Prompt caching at the provider", "", "", "none"),
        _row("All three", "", "", ""),
    ]
    money = [*by_cache.values(), sum(by_cache.values(), ZERO)]
    rows = [
        {**row, "A ticket": small_usd(m / n), f"A month, {n:,} tickets": usd(m)}
        for row, m in zip(rows, money, strict=True)
    ]
    table(
        rows,
        {k: RIGHT for k in rows[0] if k != "Cache"},
        "What each cache serves and saves, priced and not run",
        "content",
    )


def _row(cache: str, served: str, most: str, wrong: str) -> dict[str, str]:
    return {"Cache": cache, "Tickets served": served, "At most": most, "Wrong": wrong}


def _said(found: LogCaching, of_sample: bool) -> str:
    rules, alike = found.rules, found.semantic
    left = f" {found.left_out:,} tickets without a date or a price are left out." if found.left_out else ""
    sampled = f" The semantic cache is measured on the last {alike.compared:,} tickets." if alike.sampled else ""
    return (
        f"{'The sample log, made up' if of_sample else 'Your log'}: {found.tickets:,} tickets of {found.customers:,} customers, "
        f"priced, not run, at prices of {PRICE_DATE:%-d %B %Y}; estimates, one round each, under kr-auto. They are asked again "
        f"{ORDERS[found.order]}. Answers serve for {rules.ttl_s / 3600:g} hours and up to {rules.most_bytes / 1e6:,.0f} MB, and "
        f"only the customer they were given to. At most: repeats, had no answer grown too old.{left} {_semantic_said(found)}"
        f"{sampled} Each row counts what the rows above leave. Its rules are set above on this page."
    )


def _worth(found: LogCaching, n: int) -> str:
    """What a wrong label buys; empty where there is none, or how many there are is not known."""
    wrong, saved = found.savings.wrong_per_month(n), found.savings.by_cache(n)["semantic"]
    if not wrong:
        return ""
    each = saved / Decimal(repr(wrong))
    return (
        f"The semantic cache saves {small_usd(saved)} a month, and {_number(wrong)} tickets get another one's label: "
        f"{small_usd(each)} for each wrong label. Leave it off unless a wrong label costs you less than that. A wrong hit is worse "
        "than a miss."
    )


def _semantic_said(found: LogCaching) -> str:
    tuned = (
        f"set stricter than the 0.65 that one half of a public set allows; on the other half, {LEXICAL.requests:,} questions, "
        f"{LEXICAL.false_hits} of {LEXICAL.hits} hits were wrong"
    )
    if found.from_labels:
        return f"Semantic: wrong hits are counted on the log's own labels; the threshold of {LEXICAL.threshold:.2f} was {tuned}."
    below = found.rules.threshold < LEXICAL.threshold
    unknown = " Below it, how many are wrong is not known." if below else ""
    return (
        f"Semantic: the log has no labels, so hits are the most there could be; the threshold of {LEXICAL.threshold:.2f} was "
        f"{tuned}.{unknown}"
    )


def _by_meaning() -> str:
    """What holds in live runs where they compare otherwise than this replay; empty where they do not."""
    on = state.runtime()
    if on.semantic_embedding is None or on.semantic_cache is None:
        return ""
    here = "This replay compares by letters. Live runs compare by meaning, where there is a key for it"
    return f"{here}: {in_force_said(on.semantic_embedding)}"


def _prefixes(found: LogCaching, n: int) -> None:
    rows = [
        {
            "Stage": _titles().get(p.stage, p.stage),
            "Model": p.model,
            "Kept for": f"{p.keeps_s / 60:.0f} min",
            f"Calls that write, {n:,} tickets": f"{p.written(n):.0%}",
            "As the log came": f"{late:.0%}" if (late := found.late.get((p.stage, p.model))) is not None else "",
            "A ticket": usd(p.saved_usd(n)),
            "Pays from, tickets a month": f"{p.pays_from:,}" if p.pays_from else "any",
        }
        for p in (use.alone for use in found.savings.prefixes)
    ]
    if not rows:
        return
    with st.expander("Prompt caching, stage by stage"):
        table(
            rows,
            {k: RIGHT for k in rows[0] if k not in ("Stage", "Model")},
            "Prompt caching by stage and model",
            "content",
        )
        st.caption(
            "A call that comes later than the provider keeps the fixed part writes it again, dearer than plain input at some. "
            "Calls are taken to come at random, around the clock, one round for each ticket; how many then write follows from how "
            "often they come and how long the part is kept. In a rush fewer do. On its own, without the caches of whole answers."
        )
