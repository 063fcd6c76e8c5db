"""Everything that this session knows, as the sources of its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TypeVar

import streamlit as st

from playground.errors import PlaygroundError
from playground.log_export import TYPICAL
from playground.prices import PRICE_DATE
from playground.records import Provenance
from playground.report import Redaction, Report, Sources, build
from playground.report.gather import one_row_each, ticket_spends, verdicts
from playground.report.joins import BY, customers_part, ledger_lines, plan_part, running
from playground.report.sources import CustomersPart, LogPriced, PlanPart, Ran, SpendLine, TicketRun, VerdictLine
from playground.report.spent import lines_of
from playground.sample import summed
from playground.ui.state.basis import as_set, month_source, prompt_cache_is_on
from playground.ui.state.customers import customers_of_receipts, provenances_kept
from playground.ui.state.knobs import assumptions, router
from playground.ui.state.ledger import ledger
from playground.ui.state.log import log_desk, log_is_stale
from playground.ui.state.plan import plan_facts
from playground.ui.state.recordings import recording
from playground.ui.state.runs import assured, is_running, plan_bills, run_router, stale, trace
from playground.ui.state.sample import sample_desk
from playground.ui.state.session import notebook
from playground.ui.state.shadow import ShadowDesk, shadow_desk
from playground.ui.state.shadow_said import assessments, only_agreement, pairs_for_candidate, void_now

T = TypeVar("T")
ANSWERS: Mapping[str, str] = {"typical": TYPICAL, "last run": "last run", "sample": "sample of this log"}


def report() -> tuple[Report, tuple[str, ...]]:
    """The report as things stand, and a sentence on every part that could not be read."""
    problems: list[str] = []
    return build(_sources(problems)), tuple(dict.fromkeys(problems))


def redaction() -> Redaction:
    """What the page's two switches say; both are off to begin with."""
    get = st.session_state.get
    return Redaction(bool(get("report_text")), bool(get("report_names")))


def _sources(problems: list[str]) -> Sources:
    of, done = month_source(), _ticket()
    # A recording has its own agent: a log that this session priced is no part of it.
    log = None if recording() is not None and of == "ticket" else _log()
    priced = log.forecast if log is not None and of == "log" else None
    spends, both = ({}, {}) if done is None else ticket_spends(done, prompt_cache_is_on())
    return Sources(
        router=router() if recording() is None else run_router(),
        assumptions=assumptions(),
        made_on=date.today(),
        month_of=of,
        spends=spends if priced is None else priced.spends,
        assured=both if priced is None else priced.assured,
        ticket=done,
        log=log,
        ran=_ran(),
        customers=_tried(_customers, (), problems),
        verdicts=one_row_each(verdicts(notebook().own.proofs, router()), _running()),
        # The plan is of this session's agent, receipts and verdicts: no part of a recording's report.
        plan=None if recording() is not None else _tried(lambda: _plan(problems), None, problems),
        receipts=_tried(_receipts, (), problems),
        redaction=redaction(),
    )


def _tried(read: Callable[[], T], otherwise: T, problems: list[str]) -> T:
    """What is read, or what stands for it where it cannot be: one part that fails takes no other with it."""
    try:
        return read()
    except PlaygroundError as error:
        problems.append(str(error))
        return otherwise


def _ticket() -> TicketRun | None:
    done, plans, replayed = trace(), plan_bills(), recording()
    if done is None or plans is None:
        return None
    is_stale = not is_running() and bool(stale())
    said, prices = ("", PRICE_DATE) if replayed is None else (replayed.label, replayed.price_date)
    return TicketRun(done, plans, assured(), run_router(), said, prices, is_stale)


def _log() -> LogPriced | None:
    desk = log_desk()
    if desk.priced is None or desk.figures is None or desk.read is None:
        return None
    return LogPriced(
        desk.name,
        desk.priced,
        desk.figures,
        None if desk.forecast is None else as_set(desk.forecast),
        ANSWERS[desk.lengths],
        desk.read.left_out,
        desk.is_sample,
        desk.stopped,
        log_is_stale(),
    )


def _ran() -> Ran | None:
    desk = sample_desk()
    if desk is None or not desk.payloads:
        return None
    payloads = list(desk.payloads.values())
    whole = len(payloads) == len(desk.units)
    expected = desk.expected_usd if whole else None
    return Ran(summed(payloads), desk.plan, desk.agent.provenance, lines_of(payloads), expected)


def _customers() -> tuple[CustomersPart, ...]:
    kinds: tuple[Provenance, ...] = provenances_kept()
    return tuple(customers_part(customers_of_receipts(kind, None), kind) for kind in kinds)


def _receipts() -> tuple[SpendLine, ...]:
    return ledger_lines(ledger().spend(BY, tickets=False))


def _plan(problems: list[str]) -> PlanPart:
    facts, problem = plan_facts()
    problems += [problem] if problem else []
    return plan_part(facts)


def _running() -> Iterator[VerdictLine]:
    """The evaluation on the shadow page as it stands, unless its pairs are void."""
    desk = shadow_desk()
    if desk is None or void_now(desk):
        return
    from playground.charts.shadow import bound_chart

    title, agrees = desk.agent.pipeline.stage(desk.arms.stage).title, only_agreement(desk)
    for candidate, found in assessments().items():
        if found.pairs:
            chart = bound_chart(candidate, found, agrees)
            yield running(title, candidate, desk.arms.current.key, _provenance(desk, candidate), found, chart)


def _provenance(desk: ShadowDesk, candidate: str) -> Provenance:
    seen = {p.provenance for p in pairs_for_candidate(desk, candidate)}
    return next((p for p in ("rehearsal", "recorded") if p in seen), "live")
