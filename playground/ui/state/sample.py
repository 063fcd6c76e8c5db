"""The session's sample of its log: what was drawn, what it may cost, and the run of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
import streamlit as st

from playground.batch_costs import UNPRICED, exact_sum, in_usd
from playground.bootstrap import Interval, mean_interval
from playground.bounded import Unit, spent_on
from playground.caps import Purse
from playground.drift import draw_weights
from playground.errors import BadTicket
from playground.guarded import under
from playground.jobs import Jobs, StoreError, default_path
from playground.loop import Agent, Second
from playground.opinions import SecondOpinions
from playground.records import Plan, Ticket
from playground.sample import Drawn, draw, summed, ticket_work
from playground.ui.bounded_work import BoundedWork
from playground.ui.state.drawing import reserved, tickets_of
from playground.ui.state.gone import catch_up
from playground.ui.state.knobs import agent, knobs
from playground.ui.state.ledger import at_cap, recorded
from playground.ui.state.log import log_desk, log_mark
from playground.ui.state.outcomes import calibrated
from playground.ui.state.runs import digest
from playground.ui.state.session import say
from playground.worst_case import Cost, most_usd

REHEARSAL_WAIT_S = 2.0


@dataclass
class SampleDesk:
    """One sample. `expected_usd` is what the log's pricing says of it, `most_usd` the most it can cost; `None` without a price."""

    drawn: Drawn
    tickets: dict[str, Ticket]
    units: tuple[Unit, ...]
    agent: Agent
    plan: Plan
    job: str
    expected_usd: Decimal | None
    most_usd: Decimal | None
    work: BoundedWork | None = None
    payloads: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """Tickets that ran before, and are not run again."""
        return len(jobs().done(self.job))


@st.cache_resource
def _store() -> Jobs:
    try:
        return Jobs(default_path())
    except StoreError as error:
        say(f"{error} Until then a sample that is interrupted starts anew.")
        return Jobs(None)


def jobs() -> Jobs:
    """The store of finished work; in memory where the disk offers none, and then that is said."""
    return _store()


def sample_desk() -> SampleDesk | None:
    """The session's sample, if one was drawn from the log that is loaded."""
    catch_up()
    found: SampleDesk | None = st.session_state.get("sample_desk")
    return found


def draw_sample(n: int) -> None:
    """Draw a sample of the priced log and work out what it may cost."""
    desk, book, plan = log_desk(), agent(), knobs().plan
    assert desk.priced is not None
    drawn, batch = draw(desk.priced, n), desk.priced
    try:
        found = tickets_of(drawn.rows)
    except BadTicket as error:
        desk.error = str(error)
        return
    book = replace(book, second=_weighted(book, found.by_row))
    most = {r: _most(book, t, batch.input_tokens[int(r)].tolist(), plan) for r, t in found.by_row.items()}
    whole = reserved({r: None if usd is None else Cost(usd, usd) for r, usd in most.items()})
    gated = calibrated() if book.pipeline.runtime.confidence_gate is not None else None
    around = (book.pipeline.runtime, *([gated] if gated else []))
    job = digest(found.digest, plan, book.provenance, log_mark("typical"), *around)
    st.session_state.sample_desk = SampleDesk(
        drawn,
        found.by_row,
        whole.units,
        recorded(book, "sample", job),
        plan,
        job,
        _expected(drawn, plan),
        None if whole.cost is None else whole.cost.most_usd,
    )


def _weighted(book: Agent, by_row: Mapping[str, Ticket]) -> Second | None:
    """Second opinions that draw dissatisfied customers' tickets more often, where the log says who they are."""
    by, batch = book.second, log_desk().priced
    if not isinstance(by, SecondOpinions) or batch is None or not by.share:
        return by
    weights = draw_weights(batch.satisfaction, by.share)
    chances = {t.id: float(weights[int(row)]) for row, t in by_row.items()}
    return replace(by, chance_of=lambda ticket: chances.get(ticket.id, by.share))


def _most(book: Agent, ticket: Ticket, inputs: list[int], plan: Plan) -> Decimal | None:
    """The most a ticket can cost, its second opinion included where it gets one."""
    own = most_usd(book.router, ticket, inputs, plan)
    if own is None or not isinstance(book.second, SecondOpinions) or not book.second.draws(ticket):
        return own
    beside = book.second.most_usd(book.router, inputs)
    return None if beside is None else own + beside


def _expected(drawn: Drawn, plan: Plan) -> Decimal | None:
    batch = log_desk().priced
    assert batch is not None
    costs = batch.ticket_costs(plan)[drawn.rows]
    return None if (costs == UNPRICED).any() else in_usd(exact_sum(costs))


def run_sample(cap_usd: Decimal) -> None:
    """Run what has not run yet, under a cap on all that this sample costs."""
    desk = sample_desk()
    assert desk is not None
    wait = REHEARSAL_WAIT_S if desk.agent.provenance == "rehearsal" else 0.0
    try:
        jobs().start(desk.job, {"tickets": len(desk.units), "plan": desk.plan, "provenance": desk.agent.provenance})
        # What is reserved for a ticket is an estimate of its most; this holds every call, whatever failover asks.
        held = under(desk.agent, Purse(cap_usd, spent_on(jobs(), desk.job)))
        work = ticket_work(held, desk.tickets, desk.plan)
        desk.work = BoundedWork(desk.units, work, cap_usd, jobs(), desk.job, at_cap(desk.agent, cap_usd)).start(wait)
    except StoreError as error:
        say(str(error))
        return
    collect_sample()


def collect_sample() -> None:
    """Take what a sample's run has found so far. The frame calls it before every page."""
    desk = sample_desk()
    if desk is None or desk.work is None:
        return
    desk.work.look()
    if not desk.work.running:
        desk.payloads = dict(desk.work.payloads)
        log_desk().seen = dict(summed(list(desk.payloads.values())).output_tokens)


def forget_sample() -> None:
    """Drop the sample's results, stored ones too, so that it can run anew."""
    desk = sample_desk()
    if desk is not None:
        jobs().forget(desk.job)
        del st.session_state.sample_desk


def sample_mean(desk: SampleDesk) -> Interval | None:
    """What a ticket of the log costs, estimated from those that ran through; `None` before two have, and in rehearsal.

    A rehearsed answer is as long as what the app put together, so its mean says nothing of a model's.
    """
    ran = [i for i, row in enumerate(desk.drawn.rows.tolist()) if desk.payloads.get(str(row), {}).get("done")]
    if len(ran) < 2 or desk.agent.provenance == "rehearsal":
        return None
    costs = [[float(desk.payloads[str(desk.drawn.rows[i])]["cost_usd"])] for i in ran]
    population = desk.drawn.population.astype(np.float64)
    return mean_interval(np.array(costs), strata=desk.drawn.strata[ran], population=population)[0]
