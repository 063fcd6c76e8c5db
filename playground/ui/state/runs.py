"""What ran, what is stale, and the bills of the last run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from hashlib import sha256

import streamlit as st

from playground.bill import PlanBill, bills
from playground.bill import assured as bills_assured
from playground.loop import FOR_A_PERSON
from playground.options import Settings
from playground.pipeline import Pipeline
from playground.records import Assurance, Plan, Step, Trace
from playground.router import Router
from playground.runtime import Runtime
from playground.ticket_month import usual
from playground.ui.runner import Run
from playground.ui.state.guards import downs, hanging, reopen_answers, runtime
from playground.ui.state.knobs import agent, knobs, pipeline, settings
from playground.ui.state.ledger import recorded, run_of
from playground.ui.state.outcomes import calibrated
from playground.ui.state.recordings import close_recording, recording
from playground.ui.state.second import note_second
from playground.ui.state.session import Notebook, notebook

REHEARSAL_WAIT_S = 1.5


def fingerprints() -> dict[str, str]:
    """For each stage, a digest of everything its result depends on, upstream stages included."""
    book, k, rules, flow = notebook(), knobs(), settings(), pipeline()
    prices = [(m.name, m.price) for m in book.catalog.models if m.endpoint]
    ticket = (book.ticket.text, book.ticket.subject, book.ticket.customer_id)
    chain = digest(ticket, k.plan, k.mode, allowed(rules), prices, book.own.rows, book.own.pairs, book.own.proofs)
    chain = digest(chain, flow.retrieve, flow.keep, sorted(flow.labels.items()))
    chain = digest(chain, _acts(flow.runtime, k.mode == "Live"), downs(), hanging(), _calibration())
    marks = {}
    for stage in flow.stages:
        pin, bar = book.pins.get(stage.key), rules.bars[stage.key]
        chain = digest(chain, stage, flow.tiers[stage.tier], pin, bar)
        marks[stage.key] = chain
    return marks


def _acts(rules: Runtime, is_live: bool) -> Runtime:
    """What stands around calls, as far as it acts: a rehearsal calls nobody's cache and embeds nothing."""
    return rules if is_live else replace(rules, prompt_cache=True, semantic_embedding=None)


def _calibration() -> object:
    """What the gate's confidence is calibrated on, where the gate is on."""
    return calibrated() if runtime().confidence_gate is not None else None


def allowed(rules: Settings) -> list[object]:
    """Everything in the settings that is not one stage's own; sets in an order that does not depend on how they were made."""
    names = [f.name for f in fields(rules) if f.name not in ("bars", "pins")]
    values = [getattr(rules, name) for name in names]
    return [sorted(v) if isinstance(v, frozenset) else v for v in values]


def digest(*parts: object) -> str:
    """A short digest of values by what they say of themselves."""
    return sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:16]


def stale() -> tuple[str, ...]:
    """Stages to run again: not run, not finished, or run on something else than what is set now. None of a recording."""
    if recording() is not None:
        return ()
    book, marks = notebook(), fingerprints()
    old = (k for k in marks if not _is_done(book, k) or (k in book.steps and book.marks.get(k) != marks[k]))
    first = next(old, None)
    # What a skipped stage would do hangs on the stages before it.
    return () if first is None else tuple(marks)[tuple(marks).index(first) :]


def _is_done(book: Notebook, key: str) -> bool:
    if _is_skipped(book, key):
        return True
    return key in book.steps and (book.steps[key].state == "done" or book.steps[key].handover is not None)


def _is_skipped(book: Notebook, key: str) -> bool:
    """Whether a guardrail gave the ticket to a person before this stage."""
    return key not in book.steps and key not in FOR_A_PERSON and any(s.handover for s in book.steps.values())


def is_running() -> bool:
    """Whether a background run goes on."""
    run = notebook().run
    return run is not None and run.state == "running"


def cell_state(stage: str) -> tuple[str, Step | None]:
    """A cell's word and its step: fresh, stale, running, waiting, failed, cancelled, blocked, not run or recorded."""
    book, replayed = notebook(), recording()
    if replayed is not None:
        return _recorded_word(replayed.trace, stage), replayed.trace.step(stage)
    if book.run is not None and book.run.state == "running":
        landed = {s.stage: s for s in book.run.steps}
        if stage in landed:
            return _word(stage, landed[stage], book.pending), landed[stage]
        current = next((s.key for s in book.pipeline.stages if s.key not in landed), "")
        return ("running" if stage == current else "waiting"), None
    if stage in book.steps:
        return _word(stage, book.steps[stage], book.marks), book.steps[stage]
    if _is_skipped(book, stage):
        return "skipped", None
    return ("blocked" if any(s.state != "done" for s in book.steps.values()) else "not run"), None


def _recorded_word(done: Trace, stage: str) -> str:
    step = done.step(stage)
    if step is None:
        return "skipped" if done.handover is not None else "not run"
    if step.handover is not None:
        return "handed over"
    return "recorded" if step.state == "done" else step.state


def _word(stage: str, step: Step, marks: Mapping[str, str]) -> str:
    if st.session_state.get("ticket_error") or marks.get(stage) != fingerprints()[stage]:
        return "stale"
    if step.handover is not None:
        return "handed over"
    return "fresh" if step.state == "done" else step.state


def proven_line() -> str:
    """How many stages have a candidate that a shadow evaluation has proven."""
    done = trace()
    steps = () if done is None else done.steps
    proven = sum(any(o.quality.proven for o in s.decision.considered) for s in steps)
    return f"Proven so far: {proven} of {len(shown_pipeline().stages)} stages."


def first_run() -> None:
    """Rehearse the ticket where a page would be empty without. Nobody asked for it, so it leaves no receipt in the ledger."""
    if trace() is None and notebook().run is None and knobs().mode == "Rehearsal":
        start_run(is_recorded=False)


def start_run(first: str | None = None, is_recorded: bool = True) -> None:
    """Run the stages from `first` on (all of them by default), keeping the steps before it.

    A stale stage before `first` runs again too: no result is called fresh that was made from a stale one. Does nothing while
    a run goes on.
    """
    if is_running():
        return
    close_recording()
    reopen_answers()
    book = notebook()
    order = [s.key for s in book.pipeline.stages]
    kept = order[: min(order.index(key) for key in (first, *stale()))] if first else []
    done = [book.steps[key] for key in kept if key in book.steps]
    fresh = fingerprints()
    book.pending = {s.key: book.marks.get(s.key, "") if s.key in kept else fresh[s.key] for s in book.pipeline.stages}
    wait = REHEARSAL_WAIT_S if knobs().mode == "Rehearsal" else 0.0
    # The rest of a ticket that ran in part belongs to the run that began it.
    run = run_of(book.agent) if done else ""
    ready = recorded(agent(), "ticket", run) if is_recorded else agent()
    book.run = Run(ready, book.ticket, knobs().plan, done).start(wait)
    collect()


def cancel() -> None:
    """Ask the running run to stop."""
    run = notebook().run
    if run is not None:
        run.cancel()


def collect() -> None:
    """Take a finished run's steps into the notebook. The frame calls it before every page, so no result waits unseen."""
    book = notebook()
    if book.run is None:
        return
    if book.run.state == "running":
        book.run.look()
        return
    if not book.run.steps and book.steps:
        return
    book.agent, book.plan, book.ran_ticket = book.run.agent, book.run.plan, book.run.ticket
    book.steps = {s.stage: s for s in book.run.steps}
    book.marks = {key: book.pending[key] for key in book.steps}
    if (done := own_trace()) is not None:
        note_second(done, book.agent.pipeline.runtime.second_opinions or 1.0)


def trace() -> Trace | None:
    """What the page shows: an open recording, else what ran last; `None` before the first run."""
    replayed = recording()
    return own_trace() if replayed is None else replayed.trace


def shown_pipeline() -> Pipeline:
    """The agent of what the page shows."""
    replayed = recording()
    return pipeline() if replayed is None else replayed.router.pipeline


def own_trace() -> Trace | None:
    """What ran last in this session, as a trace; `None` before the first run."""
    book = notebook()
    if book.agent is None or not book.steps:
        return None
    steps = tuple(book.steps[s.key] for s in book.pipeline.stages if s.key in book.steps)
    return Trace(book.ran_ticket or book.ticket, book.agent.pipeline.name, book.plan, book.agent.provenance, steps)


def usual_bills() -> dict[Plan, PlanBill] | None:
    """The bills that a month is made of: without the failed attempts that this one run happened to have."""
    plans, done = plan_bills(), trace()
    if plans is None or done is None:
        return None
    return usual(done, run_router(), plans)


def plan_bills() -> dict[Plan, PlanBill] | None:
    """The three plans' bills for what the page shows, on the settings it ran with; computed once for each result."""
    book, done = notebook(), trace()
    if done is None:
        return None
    by = run_router()
    key = (*done.steps, by)
    if book.bills is None or not _same(book.bills[0], key):
        book.bills = (key, bills(done, by))
    return book.bills[1]


def assured() -> dict[Assurance, PlanBill]:
    """kr-auto under either assurance, for what ran last. Needs a run."""
    book, done, plans = notebook(), trace(), plan_bills()
    assert done is not None
    assert plans is not None
    assert book.bills is not None
    key = book.bills[0]
    if book.both is None or not _same(book.both[0], key):
        book.both = (key, bills_assured(done, run_router(), plans))
    return book.both[1]


def _same(old: Sequence[object], new: Sequence[object]) -> bool:
    """The very same objects: comparing their texts would cost more than the bills do."""
    return len(old) == len(new) and all(a is b for a, b in zip(old, new, strict=True))


def is_whole() -> bool:
    """Whether what ran last got through every stage; a part of a ticket says nothing about a month."""
    done = trace()
    return (
        done is not None
        and len(done.steps) == len(shown_pipeline().stages)
        and all(s.state == "done" for s in done.steps)
    )


def unpriced(plans: Mapping[Plan, PlanBill]) -> str:
    """Which plans have a call without a price, as a sentence; empty where none has. Their sums must not be compared."""
    found = [f"{plan} is {bill.answers}" for plan, bill in plans.items() if bill.answers.exact_usd is None]
    return f"{'; '.join(found)}." if found else ""


def run_router() -> Router:
    """The router of what the page shows. Needs a finished run or a recording."""
    replayed = recording()
    if replayed is not None:
        return replayed.router
    book = notebook()
    assert book.agent is not None
    return book.agent.router
