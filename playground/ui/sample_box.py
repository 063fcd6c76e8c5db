"""A sample of the log is run: estimate and cap first, then progress, then what it cost against what was priced."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

import streamlit as st

from playground.batch_costs import exact_sum, in_usd
from playground.money import percent_change, usd
from playground.sample import SampleRun, summed
from playground.ui import state
from playground.ui.bounded_work import WORKERS
from playground.ui.widgets import counted, dollars, figure, figures_row, plain, table
from playground.ui.work_box import how_it_ended, work_buttons

REFRESH_S = 0.5
DEFAULT_TICKETS = 100
MOST_TICKETS = 2_000
CENT = Decimal("0.01")


def sample_box() -> None:
    """Draw the section; nothing before a log is priced."""
    desk = state.log_desk()
    if desk.priced is None or desk.path is None or not len(desk.priced.ids):
        return
    st.subheader("Run a sample")
    st.caption(
        "Tickets are drawn so that short, long and returning ones stand in it as in your log, run through every stage, and held "
        "against what was priced. The sidebar says under which plan, and whether models are called."
    )
    _asked(len(desk.priced.ids))
    found = state.sample_desk()
    if found is None:
        return
    if found.work is not None and found.work.running:
        _progress()
        return
    _estimate(found)
    _results(found)


def _asked(tickets: int) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        most = min(MOST_TICKETS, tickets)
        n = st.number_input("Tickets to run", 1, most, min(DEFAULT_TICKETS, most), key="sample_n", width=160)
        obstacle = state.live_obstacle()
        st.button("Draw and estimate", on_click=state.draw_sample, args=(n,), disabled=bool(obstacle) or _running())
    if obstacle:
        st.info(obstacle, icon=":material/key:")


def _running() -> bool:
    found = state.sample_desk()
    return found is not None and found.work is not None and found.work.running


def _estimate(found: state.SampleDesk) -> None:
    n, kept = len(found.units), found.kept
    how = (
        "Rehearsal: no model is called, and nothing is paid."
        if found.agent.provenance == "rehearsal"
        else "Live: you pay for it."
    )
    if found.most_usd is None:
        st.warning(
            f"{n:,} tickets under {found.plan}: a model in question has no price, so no cap can hold. Give it one in Settings."
        )
        return
    st.markdown(
        dollars(
            f"{n:,} tickets under {found.plan}: about **{usd(found.expected_usd)}** without prompt caching at the provider, at "
            f"most {usd(found.most_usd)} if every stage is tried twice and every answer is as long as it may be. {how}"
        )
    )
    cap = st.number_input(
        "Cap, USD",
        0.0,
        None,
        float(_usual_cap(found).quantize(CENT, ROUND_UP)),
        0.5,
        key=f"sample_cap_{found.job}",
        help="No ticket starts that could take the sample beyond it, all earlier runs of it included.",
        width=160,
    )
    if kept < n:
        label = f"Run {n:,} tickets" if not kept else f"Go on: {kept:,} of {n:,} are done"
        st.button(
            label, type="primary", icon=":material/play_arrow:", on_click=state.run_sample, args=(Decimal(str(cap)),)
        )
    elif not found.payloads:
        st.button("Show what ran before", on_click=state.run_sample, args=(Decimal(str(cap)),))


def _usual_cap(found: state.SampleDesk) -> Decimal:
    """Three times what is expected, where that is less than the most it can be: a cap that can bite."""
    assert found.most_usd is not None
    each = max((u.reserve_usd for u in found.units), default=found.most_usd)
    return min(found.most_usd, max(3 * (found.expected_usd or found.most_usd), WORKERS * each))


@st.fragment(run_every=REFRESH_S)
def _progress() -> None:
    found = state.sample_desk()
    if found is None or found.work is None or not found.work.running:
        st.rerun()
        return
    work = found.work
    work.look()
    done = work.total - work.left
    left = "" if work.seconds_left is None else f", about {work.seconds_left:.0f} s left"
    st.progress(done / work.total, plain(f"{done:,} of {work.total:,} tickets, {usd(work.spent_usd)} so far{left}"))
    work_buttons(work, "sample")


def _results(found: state.SampleDesk) -> None:
    work = found.work
    if work is None:
        return
    how_it_ended(work)
    whole = summed(list(found.payloads.values()))
    if (cut_short := work.spent_usd - whole.spent_usd - whole.second_usd) > 0:
        st.caption(
            dollars(f"{usd(cut_short)} more went to tickets that were cut short; they run again when you go on.")
        )
    if not found.payloads:
        return
    ran = summed(list(found.payloads.values()))
    priced = in_usd(_priced(found))
    mean = state.sample_mean(found)
    with figures_row():
        figure("Tickets that ran", f"{ran.tickets:,}")
        figure(
            "They cost",
            usd(ran.spent_usd),
            percent_change(ran.spent_usd, priced),
            "Against what the same tickets were priced at.",
        )
        figure("Priced at", usd(priced))
        figure("Failed attempts", f"{ran.failed_usd / ran.spent_usd:.1%}" if ran.spent_usd else "0%", help_text=FAILED)
    if mean is not None:
        interval = f"{usd(Decimal(str(mean.low)))} to {usd(Decimal(str(mean.high)))}"
        st.markdown(
            dollars(
                f"A ticket of the whole log: **{usd(Decimal(str(mean.estimate)))}**, {interval} with 95% confidence."
            )
        )
    _said(found, ran)
    _lengths(ran, found.agent.provenance == "rehearsal")
    st.button("Forget these results", type="tertiary", on_click=state.forget_sample)


AGAINST = "Against what the same tickets were priced at. At list prices, failed attempts included."
FAILED = "Share of the spend for attempts whose output was not used."


def _priced(found: state.SampleDesk) -> int:
    batch = state.log_desk().priced
    if batch is None:
        return 0
    rows = [int(row) for row in found.payloads]
    return exact_sum(batch.ticket_costs(found.plan)[rows])


def _said(found: state.SampleDesk, ran: SampleRun) -> None:
    titles = {s.key: s.title for s in found.agent.pipeline.stages}
    stopped = "; ".join(f"{n:,} stopped at {titles.get(key, key)}" for key, n in ran.stopped_at.items())
    people = "".join(f" {n:,} went to a person: {rule}." for rule, n in ran.handed_over.items())
    how = "Rehearsal: no model was called; tokens are estimates." if found.agent.provenance == "rehearsal" else "Live."
    if found.agent.provenance == "rehearsal":
        how += " Rehearsed answers are put together from the help centre and shorter than a model's, so they cost less than priced."
    unpriced = f" {ran.unpriced_calls:,} calls have no price and are not in these sums." if ran.unpriced_calls else ""
    second = f" {counted(ran.second, 'second opinion')} cost {usd(ran.second_usd)} more." if ran.second else ""
    ended = f"{stopped + '.' if stopped else ''}{people}{second}{unpriced}"
    st.caption(plain(f"{how} {ran.done:,} of {ran.tickets:,} ran through. {ended}"))


def _lengths(ran: SampleRun, rehearsed: bool) -> None:
    flow = state.pipeline()
    rows = [
        {"Stage": s.title, "Typical, tokens": s.typical_output_tokens, "Seen, tokens": float(ran.output_tokens[s.key])}
        for s in flow.stages
        if s.key in ran.output_tokens
    ]
    with st.expander("Length of answers, an accepted call on average"):
        table(
            rows,
            {"Seen, tokens": st.column_config.NumberColumn(format="%.0f")},
            "Typical and seen length of answers",
            "content",
        )
        if rehearsed:
            st.caption("Rehearsed answers are no guide to a model's length. A live sample is.")
        else:
            st.caption("To price the whole log with what was seen: Columns, Length of answers, as in the sample.")
