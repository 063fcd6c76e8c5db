"""The session's measurement of what caching would save on its log, or on the sample log where it has none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from playground.cache_share import CacheSavings
from playground.knowledge import sample_help_centre, sample_policies
from playground.log_caching import CacheRules, LogCaching
from playground.log_pricing import price_batch
from playground.ui.caching_work import CachingWork, Source
from playground.ui.state.guards import runtime
from playground.ui.state.knobs import settings
from playground.ui.state.log import SAMPLE_LOG, lengths_pipeline, log_desk, log_mark
from playground.ui.state.session import notebook
from playground.workshop import make_router

AT_ONCE = 5_000
"""Tickets of a log that is measured without being asked to."""
SMALL_LOG_WAIT_S = 3.0


@dataclass
class CachingDesk:
    """`mark` names what `found` depends on: the log, its prices, and the caches' rules."""

    work: CachingWork | None = None
    found: LogCaching | None = None
    mark: tuple[object, ...] = ()
    asked: tuple[object, ...] = ()
    of_sample: bool = True
    error: str = ""


def caching_desk() -> CachingDesk:
    """The session's measurement."""
    if "caching_desk" not in st.session_state:
        st.session_state.caching_desk = CachingDesk()
    found: CachingDesk = st.session_state.caching_desk
    return found


def caching_mark() -> tuple[object, ...]:
    """What a measurement depends on now."""
    desk, rules = log_desk(), CacheRules.of(runtime())
    return (
        (desk.number, desk.mark, len(desk.priced.ids), rules) if desk.priced else ("sample", log_mark("typical"), rules)
    )


def caching_tickets() -> int:
    """Tickets of the log that would be measured; 0 for the sample log."""
    priced = log_desk().priced
    return 0 if priced is None else len(priced.ids)


def measure_caching() -> None:
    """Start measuring; a small log is done at once."""
    cancel_caching()
    desk, log = caching_desk(), log_desk()
    flow = lengths_pipeline(log.lengths if log.priced else "typical")
    book = notebook()
    router = make_router(flow, settings(), book.catalog, book.own)
    price = partial(price_batch, router=router, help_centre=sample_help_centre(), policies=sample_policies())
    own = log.priced is not None and log.path is not None
    source = Source(log.path if own and log.path else SAMPLE_LOG, log.columns if own else None, flow, price, log.priced)
    desk.asked, desk.of_sample, desk.error = caching_mark(), not own or log.is_sample, ""
    desk.work = CachingWork(source, CacheRules.of(runtime())).start(SMALL_LOG_WAIT_S)
    collect_caching()


def cancel_caching() -> None:
    """Ask a running measurement to stop; what was found before stays."""
    desk = caching_desk()
    if desk.work is not None:
        desk.work.cancel()
        desk.work = None


def collect_caching() -> None:
    """Take what a finished measurement found."""
    desk = caching_desk()
    work = desk.work
    if work is None:
        return
    if work.running:
        work.look()
        return
    desk.work, desk.error = None, work.error
    if work.found is not None:
        desk.found, desk.mark = work.found, desk.asked


def cache_savings() -> CacheSavings | None:
    """What was found, while it still holds; for a month that counts caches in."""
    desk = caching_desk()
    return desk.found.savings if desk.found is not None and desk.mark == caching_mark() else None
