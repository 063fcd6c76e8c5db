"""What the migration plan looks at in this session and in the ledger, and what its buttons do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import streamlit as st

from playground.bill import assured as bills_assured
from playground.cut_over import Assessment
from playground.errors import BadModel
from playground.ledger import Filter, LedgerError
from playground.migration import Both, Delivered, Facts, Saved, Seen, StageFacts, Step, Trial, guard_off, guard_on
from playground.migration.guarding import GUARDS
from playground.migration.paper import LogPaper, Paper, TicketPaper, stage_facts
from playground.money import Total
from playground.pipeline import Pipeline, Stage
from playground.proofs import prompt_digest, void
from playground.records import Event, Plan, Proof, Provenance, Purpose
from playground.remembered import Remembered
from playground.ui.state.basis import basis, month_source, prompt_cache_is_on
from playground.ui.state.digest import digest_desk, send_no_more
from playground.ui.state.guards import runtime, set_runtime
from playground.ui.state.knobs import assumptions, knobs, pipeline, router
from playground.ui.state.ledger import ledger
from playground.ui.state.log import LogDesk, lengths_pipeline, log_desk, log_mark
from playground.ui.state.remember import forget_memory, keep_start, keep_withdrawal, memory
from playground.ui.state.runs import is_whole, run_router, trace, unpriced, usual_bills
from playground.ui.state.session import notebook, say
from playground.ui.state.shadow import shadow_desk
from playground.ui.state.shadow_said import (
    assessments,
    only_agreement,
    pairs_for_candidate,
    record_verdict,
    void_now,
    why_not_recorded,
)
from playground.workshop import make_router

SHIFTS: tuple[Plan, ...] = ("stratified", "kr-auto")
WORK: tuple[Purpose, ...] = ("ticket", "sample")
"""What receipts of real work are for; evaluations are an expense of their own."""


@dataclass(frozen=True, slots=True)
class _Receipts:
    """What the ledger says."""

    before: Both = field(default_factory=Both)
    routed: Both = field(default_factory=Both)
    untold: int = 0
    saved: Saved = field(default_factory=Saved)
    saved_rehearsed: Saved = field(default_factory=Saved)
    by_stage: Mapping[str, Saved] = field(default_factory=dict)
    """What live runs saved, by stage."""
    digest: Delivered = field(default_factory=Delivered)


def plan_facts() -> tuple[Facts, str]:
    """Everything that the plan looks at, as it stands now; and why receipts are missing from it, empty where none are."""
    flow, found, k = pipeline(), _paper(), knobs()
    seen, problem = _receipts(flow)
    said, own = _basis_said(found)
    facts = Facts(
        flow.name,
        _stages(flow, found, seen),
        date.today(),
        said,
        own,
        seen.before,
        seen.routed,
        seen.untold,
        seen.saved,
        seen.saved_rehearsed,
        k.plan,
        k.assurance == "proven",
        runtime(),
        _guarded_on(flow),
        seen.digest,
    )
    return facts, problem


def _stages(flow: Pipeline, found: Paper | None, seen: _Receipts) -> tuple[StageFacts, ...]:
    spends, pins = {} if found is None else dict(basis().spends), notebook().pins
    made = stage_facts(flow, found, spends, assumptions(), _trials(flow))
    return tuple(replace(s, pinned=pins.get(s.key, ""), saved=seen.by_stage.get(s.key, Saved())) for s in made)


def _receipts(flow: Pipeline) -> tuple[_Receipts, str]:
    try:
        live, rehearsed = _saved(flow, "live"), _saved(flow, "rehearsal")
        found = _Receipts(_both(flow, "before"), *_routed(flow), live, rehearsed, _by_stage(flow), _digests())
    except LedgerError as error:
        return _Receipts(), str(error)
    return found, ledger().problem


def _paper() -> Paper | None:
    """The log or the ticket that a month rests on; `None` where there is none with every price known."""
    desk = log_desk()
    if month_source() == "log" and desk.priced is not None:
        return _log_paper(desk)
    plans, done = usual_bills(), trace()
    if plans is None or done is None or not is_whole() or unpriced(plans):
        return None
    by = run_router()
    return TicketPaper(done, by, plans, bills_assured(done, by, plans)["estimated"], prompt_cache_is_on())


def _log_paper(desk: LogDesk) -> LogPaper:
    """Kept as long as the log and what its prices depend on: sums over a million tickets are made once."""
    assert desk.priced is not None
    kept: tuple[str, LogPaper] | None = st.session_state.get("plan_paper")
    book, is_on = notebook(), prompt_cache_is_on()
    mark = f"{log_mark(desk.lengths)} {is_on}"
    if kept is None or kept[0] != mark or kept[1].batch is not desk.priced:
        by = make_router(lengths_pipeline(desk.lengths), router().settings, book.catalog, book.own)
        kept = st.session_state.plan_paper = (mark, LogPaper(desk.priced, by, is_on))
    return kept[1]


def _basis_said(found: Paper | None) -> tuple[str, bool]:
    """Where the month comes from, and whether that is the user's own."""
    if found is None:
        return "Nothing is priced yet.", False
    if isinstance(found, LogPaper):
        n = len(found.batch.ids)
        sample = log_desk().is_sample
        return f"{'The sample log' if sample else 'Your log'}, {n:,} tickets, priced and not run.", not sample
    done = trace()
    assert done is not None
    if done.provenance == "rehearsal":
        return "One rehearsed ticket: no model was called, and tokens are counted.", False
    return f"One {done.provenance} ticket.", True


def _both(flow: Pipeline, plan: Plan) -> Both:
    return Both(_seen(flow, plan, "live"), _seen(flow, plan, "rehearsal"))


def _seen(flow: Pipeline, plan: Plan, provenance: Provenance) -> Seen:
    where = _of_plan(flow, plan, provenance)
    days = ledger().spend(("day",), where, tickets=False)
    named = ledger().spend(("customer",), where, tickets=False)
    return Seen(
        sum(s.attempts for s in days),
        len(days),
        sum(s.attempts for s in named if s.key[0] is not None),
        sum((s.total for s in days), Total()),
    )


def _routed(flow: Pipeline) -> tuple[Both, int]:
    """Receipts of kr-auto by proof; and how many live ones are too old to say how it chose. Whose they were nobody asks here."""
    kinds: tuple[Provenance, ...] = ("live", "rehearsal")
    found = {
        kind: ledger().spend(("day", "assurance"), _of_plan(flow, "kr-auto", kind), tickets=False) for kind in kinds
    }
    seen = {kind: [s for s in rows if s.key[1] == "proven"] for kind, rows in found.items()}
    both = (
        Seen(sum(s.attempts for s in rows), len(rows), 0, sum((s.total for s in rows), Total()))
        for rows in seen.values()
    )
    return Both(*both), sum(s.attempts for s in found["live"] if s.key[1] is None)


def _of_plan(flow: Pipeline, plan: Plan, provenance: Provenance) -> Filter:
    return Filter(provenance=provenance, plans=(plan,), purposes=WORK, pipelines=(flow.name,))


def _guarded_on(flow: Pipeline) -> dict[str, date]:
    found = {key: memory().guard(flow.name, key) for key in GUARDS}
    return {key: note.at.date() for key, note in found.items() if note is not None and note.value == "on"}


def _saved(flow: Pipeline, provenance: Provenance) -> Saved:
    where = Filter(provenance=provenance, plans=SHIFTS, purposes=WORK, pipelines=(flow.name,))
    found = ledger().spend((), where, tickets=False)[0]
    return Saved(found.attempts, found.before, found.total)


def _by_stage(flow: Pipeline) -> dict[str, Saved]:
    where = Filter(provenance="live", plans=SHIFTS, purposes=WORK, pipelines=(flow.name,))
    return {
        str(s.key[0]): Saved(s.attempts, s.before, s.total) for s in ledger().spend(("stage",), where, tickets=False)
    }


def _digests() -> Delivered:
    last: dict[str, date] = {}
    for event in ledger().events(kinds=("delivered",)):
        last[event.provenance] = event.at.date()
    return Delivered(last.get("live"), last.get("rehearsal"), digest_desk().daily.schedule is not None)


def _trials(flow: Pipeline) -> dict[str, tuple[Trial, ...]]:
    """What was recorded, and what the pairs of this session say, the latest of each candidate."""
    found: dict[str, tuple[Trial, ...]] = {}
    for stage in flow.stages:
        pairs = _remembered(flow, stage)
        # A record does not say what was compared; the pairs that this session saw do.
        kept = {
            key: replace(t, agreement=key in pairs and pairs[key].agreement)
            for key, t in _recorded(flow, stage).items()
        }
        seen = {key: t for key, t in pairs.items() if key not in kept or kept[key].void}
        found[stage.key] = tuple({**kept, **seen}.values())
    return found


Kind = tuple[str, bool]
"""A candidate, and whether it was tried live."""


def _recorded(flow: Pipeline, stage: Stage) -> dict[Kind, Trial]:
    own = [p for p in notebook().own.proofs if p.stage == stage.key and p.pipeline == flow.name]
    found: dict[Kind, Trial] = {}
    # The latest that holds decides; of one day, the later in the list.
    for proof in sorted(reversed(own), key=lambda p: p.decided_on, reverse=True):
        trial, key = _of_proof(proof, flow, stage), (proof.candidate, proof.provenance != "rehearsal")
        if key not in found or (found[key].void and not trial.void):
            found[key] = trial
    return found


def _of_proof(proof: Proof, flow: Pipeline, stage: Stage) -> Trial:
    try:
        gone = void(proof, flow, stage, router().named(proof.candidate))
    except BadModel as error:
        gone = str(error).rstrip(".")
    return Trial(
        proof.candidate, proof.provenance, proof.pairs, proof.verdict, not gone, void=gone, said=_recorded_where(proof)
    )


def _recorded_where(proof: Proof) -> str:
    found = memory().of(proof)
    return "" if found is None else found.said


def _remembered(flow: Pipeline, stage: Stage) -> dict[Kind, Trial]:
    """Pairs of the evaluation on screen, and of those before it in this session, for the stage as it stands."""
    kept: dict[tuple[object, ...], Trial] = st.session_state.setdefault("plan_trials", {})
    mark = (flow.name, flow.version, stage.key, stage.before, stage.margin, prompt_digest(flow, stage))
    desk = shadow_desk()
    if desk is not None and desk.arms.stage == stage.key and not void_now(desk):
        for candidate, found in assessments().items():
            if found.pairs:
                trial = _of_pairs(candidate, found)
                kept[(*mark, candidate, trial.provenance)] = trial
    own = {key: trial for key, trial in kept.items() if key[: len(mark)] == mark}
    return {
        (t.candidate, t.is_live): _as_now(t, desk is not None and desk.arms.stage == stage.key) for t in own.values()
    }


def _of_pairs(candidate: str, found: Assessment) -> Trial:
    desk = shadow_desk()
    assert desk is not None
    seen = {p.provenance for p in pairs_for_candidate(desk, candidate)}
    provenance: Provenance = next((p for p in ("rehearsal", "recorded") if p in seen), "live")
    why = "" if found.verdict == "CONTINUE" else why_not_recorded(desk, candidate, found)
    agrees = only_agreement(desk)
    return Trial(candidate, provenance, found.pairs, found.verdict, False, found.needed, obstacle=why, agreement=agrees)


def _as_now(trial: Trial, on_screen: bool) -> Trial:
    return trial if on_screen else replace(trial, obstacle="Open its pairs on the Shadow evaluation page again.")


def can_record(step: Step) -> str:
    """The candidate whose verdict a button may record now; empty where there is none."""
    desk, stage = shadow_desk(), step.key.partition("-")[2]
    if desk is None or desk.arms.stage != stage or step.state != "ready" or void_now(desk):
        return ""
    fit = (
        c for c, found in assessments().items() if found.verdict == "CUT OVER" and not why_not_recorded(desk, c, found)
    )
    return next(fit, "")


def move_on(step: Step) -> None:
    """Do what a step needs, where a button can: a guardrail, kr-auto by proof, a verdict."""
    if step.key in GUARDS:
        set_runtime(guard_on(runtime(), step.key))
        say(f"{step.title} is on, from the next ticket.")
    elif step.key == "auto":
        st.session_state.plan, st.session_state.assurance = "kr-auto", "proven"
        say("kr-auto is on, by proof, from the next ticket.")
    elif candidate := can_record(step):
        record_verdict(candidate)


def take_step_back(step: Step) -> None:
    """Take a step back in this session, and keep in the ledger that it was."""
    if step.key in GUARDS:
        set_runtime(guard_off(runtime(), step.key))
        say(f"{step.title} is off, from the next ticket.")
    elif step.key == "auto":
        st.session_state.plan = "before"
        say("The plan is before: every stage is on today's model from the next ticket.")
    elif step.key == "digest":
        send_no_more()
        say("No digest is sent daily any more.")
    else:
        _withdraw(step.key.partition("-")[2])


def _withdraw(stage: str) -> None:
    """Forget the cut-overs of a stage that hold, and its pins on their candidates."""
    book, flow = notebook(), pipeline()
    held = [p for p in book.own.proofs if _is_cut(p, flow, stage)]
    book.own = replace(book.own, proofs=tuple(p for p in book.own.proofs if p not in held))
    if book.pins.get(stage) in {p.candidate for p in held}:
        del book.pins[stage]
        st.session_state.pop(f"pin_{stage}", None)
    for proof in held:
        said = f"The cut-over of {stage} to {proof.candidate} was taken back."
        ledger().note(Event(datetime.now(UTC), "keep", stage, said, proof.provenance))
        keep_withdrawal(proof)
    at = flow.stage(stage)
    say(f"Taken back: {at.title} is on {at.before} from the next ticket. Its pairs stay.")


def _is_cut(proof: Proof, flow: Pipeline, stage: str) -> bool:
    if proof.stage != stage or proof.pipeline != flow.name or proof.verdict != "CUT OVER":
        return False
    return not _of_proof(proof, flow, flow.stage(stage)).void


def plan_start() -> date:
    """The day that the first week begins: as picked here or in an earlier session, else the next Monday."""
    found: date | None = st.session_state.get("plan_start")
    return found or memory().start(pipeline().name) or next_monday(date.today())


def start_picked() -> None:
    """Keep the day that was picked for later sessions."""
    found: date | None = st.session_state.get("plan_start")
    if found is not None:
        keep_start(pipeline().name, found)


def earlier_verdicts() -> tuple[Remembered, ...]:
    """Verdicts of earlier sessions that this one goes by, of its agent."""
    own = notebook().own.proofs
    return tuple(r for r in memory().verdicts if r.proof.pipeline == pipeline().name and r.proof in own)


def leave_out_earlier() -> None:
    """Go on as if no session had been before; the ledger keeps what they decided."""
    book, proofs = notebook(), forget_memory()
    book.own = replace(book.own, proofs=tuple(p for p in book.own.proofs if p not in proofs))
    st.session_state.pop("plan_start", None)
    say("What earlier sessions decided is left out of this one. It stays in the ledger.")


def next_monday(day: date) -> date:
    """The first Monday after a day."""
    return day + timedelta(days=7 - day.weekday())
