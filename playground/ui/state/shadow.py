"""The session's shadow evaluation: who is compared at which stage, and the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import streamlit as st

from playground.anchored import MINIMUM_LABELS
from playground.bounded import Unit, Work
from playground.cut_over import Assessment
from playground.cut_over import Unit as PairUnit
from playground.errors import BadInput
from playground.jobs import StoreError
from playground.loop import Agent
from playground.records import Candidate, Ticket
from playground.sample import draw
from playground.scoring import Judge, Rubric, fit_judges, parse_rubric, shipped_rubric
from playground.shadow import Arms, Shadowing
from playground.shadow_job import Task, shadow_work
from playground.tokens import count
from playground.ui.bounded_work import BoundedWork
from playground.ui.state.drawing import log_to_draw_from, reserved, tickets_of
from playground.ui.state.gone import catch_up
from playground.ui.state.knobs import agent, pipeline, router
from playground.ui.state.ledger import at_cap, name_run, recorded
from playground.ui.state.runs import digest
from playground.ui.state.sample import REHEARSAL_WAIT_S, jobs
from playground.ui.state.session import say
from playground.worst_case import Cost, shadow_usd

LABELLED_SHARE = 0.10
ENOUGH_LABELS = 1.25
"""So many times the labels that a verdict needs are asked for: how many are drawn is chance."""


def label_share(pairs: int) -> float:
    """How many pairs people are asked about: a tenth, or as many as it takes to reach what a verdict needs."""
    return max(LABELLED_SHARE, min(1.0, ENOUGH_LABELS * MINIMUM_LABELS / max(1, pairs)))


def rubric_tokens(judge: Judge | None) -> int:
    """How long the rubric makes every prompt of a judge."""
    return 0 if judge is None else count(judge.rubric.source)


@dataclass
class ShadowDesk:
    """One evaluation. `imported` ones were scored elsewhere: nothing ran here, and nothing can be labelled."""

    arms: Arms
    agent: Agent
    job: str
    units: tuple[Unit, ...] = ()
    tickets: Mapping[str, Ticket] = field(default_factory=dict)
    work_of: Work | None = None
    cost: Cost | None = None
    work: BoundedWork | None = None
    payloads: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    labels: dict[str, dict[str, float]] = field(default_factory=dict)
    """Candidate to people's labels by ticket."""
    unit: PairUnit | None = None
    """What counts as one, where it was chosen; else what tickets share."""
    imported: bool = False
    share: float = LABELLED_SHARE
    """The probability with which a pair is shown to people."""
    judge: str = ""
    """Who judged, by which rubric; empty where nobody had to."""
    kept: tuple[tuple[object, ...], dict[str, Assessment]] | None = None

    @property
    def margin(self) -> float:
        """How much worse than the current model the stage may get, as it is set now."""
        return pipeline().stage(self.arms.stage).margin

    @property
    def done(self) -> int:
        """Tickets that ran before, and are not run again."""
        return 0 if self.imported else len(jobs().done(self.job))


def shadow_desk() -> ShadowDesk | None:
    """The session's evaluation, if there is one."""
    catch_up()
    found: ShadowDesk | None = st.session_state.get("shadow_desk")
    return found


def judges(stage: str, current: str, candidates: list[str]) -> list[str]:
    """Models that may judge all of these, best evidence first: of another family than every arm."""
    by = router()
    fit = [
        [j.key for j in fit_judges(by.catalog, by.named(current), by.named(c), by.evidence, by.settings.today)]
        for c in candidates
    ]
    reachable = by.settings.reachable
    known = [key for key in (fit[0] if fit else []) if all(key in other for other in fit)]
    return [k for k in known if reachable is None or _place(by.named(k)) in reachable]


def _place(candidate: Candidate) -> str:
    return candidate.model.endpoint or candidate.model.provider


def draw_pairs(stage: str, current: str, candidates: list[str], judge: str | None, n: int, keep_texts: bool) -> None:
    """Draw tickets from the log, or the sample log, and work out what comparing them may cost."""
    batch, book = log_to_draw_from(), recorded(agent(), "shadow")
    if batch is None:
        return
    arms = Arms(stage, book.router.named(current), tuple(book.router.named(c) for c in candidates))
    try:
        drawn = tickets_of(draw(batch, n).rows)
        task = Task(Shadowing(book, arms), make_judge(book, judge), true_labels(book, drawn.labels), keep_texts)
    except BadInput as error:
        say(str(error))
        return
    judged_by = None if task.judge is None else task.judge.candidate
    whole = reserved(
        {
            r: shadow_usd(book.router, batch.input_tokens[int(r)].tolist(), arms, judged_by, rubric_tokens(task.judge))
            for r in drawn.by_row
        }
    )
    rubric = "" if task.judge is None else (judge, task.judge.rubric.version)
    made_of = (drawn.digest, arms.stage, [c.key for c in arms.all], rubric, book.provenance, pipeline(), keep_texts)
    work = shadow_work(task, drawn.by_row)
    name = "" if task.judge is None else f"{judge}, rubric {task.judge.rubric.version}"
    job = digest(*made_of)
    name_run(book, job)
    st.session_state.shadow_desk = ShadowDesk(
        arms, book, job, whole.units, drawn.by_row, work, whole.cost, judge=name, share=label_share(n)
    )


def rubric() -> Rubric:
    """What the judge looks at: as shipped, or as edited in this session."""
    found: Rubric = st.session_state.get("rubric") or shipped_rubric()
    return found


def save_rubric() -> None:
    """Take the edited rubric, or say what is wrong with it."""
    try:
        st.session_state.rubric = parse_rubric(st.session_state.rubric_text, "judge.yaml")
        st.session_state.rubric_error = None
    except BadInput as error:
        st.session_state.rubric_error = str(error)


def true_labels(book: Agent, labels: Mapping[str, str]) -> dict[str, str]:
    """True labels by ticket, where the log gives one of the agent's own."""
    return {ticket: label for ticket, label in labels.items() if label in book.pipeline.labels}


def make_judge(book: Agent, judge: str | None) -> Judge | None:
    """The judge by its model, with this session's rubric; `None` where none is needed."""
    if judge is None:
        return None
    candidate = book.router.named(judge)
    quality = book.router.evidence.quality("check", candidate).estimate
    return Judge(
        candidate, book.complete, book.provenance, rubric(), book.pipeline.name, quality=quality, record=book.record
    )


def run_shadow(cap_usd: Decimal) -> None:
    """Run the pairs that have not run yet, under a cap on all that this evaluation costs."""
    desk = shadow_desk()
    assert desk is not None
    assert desk.work_of is not None
    wait = REHEARSAL_WAIT_S if desk.agent.provenance == "rehearsal" else 0.0
    try:
        jobs().start(desk.job, {"stage": desk.arms.stage, "arms": [c.key for c in desk.arms.all]})
        kept = jobs().done(labels_job(desk.job))
        desk.work = BoundedWork(desk.units, desk.work_of, cap_usd, jobs(), desk.job, at_cap(desk.agent, cap_usd)).start(
            wait
        )
    except StoreError as error:
        say(str(error))
        return
    for found in kept.values():
        desk.labels.setdefault(found["candidate"], {})[found["ticket"]] = found["value"]
    collect_shadow()


def labels_job(job: str) -> str:
    """Where people's labels of an evaluation are kept: ticket ids and numbers, no text."""
    return f"{job}/labels"


def collect_shadow() -> None:
    """Take what a run has found so far. The frame calls it before every page."""
    desk = shadow_desk()
    if desk is None or desk.work is None:
        return
    desk.work.look()
    desk.payloads = dict(desk.work.payloads)


def forget_shadow() -> None:
    """Drop the evaluation, its stored pairs too."""
    desk = shadow_desk()
    if desk is not None:
        if not desk.imported:
            jobs().forget(desk.job)
        del st.session_state.shadow_desk
