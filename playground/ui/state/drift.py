"""The session's second opinions: drawn from the log and run, or imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import streamlit as st

from playground.bounded import Unit
from playground.errors import BadInput
from playground.jobs import StoreError
from playground.ledger import Filter
from playground.records import Event, Provenance, Ticket
from playground.second_opinion import Sample, disagrees, drawn, opinion_work
from playground.shadow import Arms, Shadowing
from playground.shadow_job import Task, pairs_of, shadow_work
from playground.ui.bounded_work import BoundedWork
from playground.ui.state.drawing import log_to_draw_from, reserved, tickets_of
from playground.ui.state.gone import catch_up
from playground.ui.state.knobs import agent
from playground.ui.state.ledger import at_cap, ledger, name_run, recorded
from playground.ui.state.log import log_mark
from playground.ui.state.runs import digest
from playground.ui.state.sample import REHEARSAL_WAIT_S, jobs
from playground.ui.state.session import say
from playground.ui.state.shadow import make_judge, rubric_tokens, true_labels
from playground.worst_case import shadow_usd


@dataclass
class DriftDesk:
    """Second opinions on one stage. `samples` of an import stand as they were read; others come from the run."""

    stage: str
    share: float
    higher: str = ""
    job: str = ""
    units: tuple[Unit, ...] = ()
    probability: dict[str, float] = field(default_factory=dict)
    days: dict[str, str] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    task: Task | None = None
    most_usd: Decimal | None = None
    work: BoundedWork | None = None
    imported: tuple[Sample, ...] = ()

    @property
    def samples(self) -> tuple[Sample, ...]:
        """In the order of their days."""
        if self.imported or self.work is None:
            return self.imported
        found = []
        for row in self.probability:
            pairs = list(pairs_of([self.work.payloads[row]], self.higher)) if row in self.work.payloads else []
            found += [
                Sample(p.ticket, self.probability[row], disagrees(p), self.days[row]) for p in pairs if not p.missing
            ]
        return tuple(found)


def drift_desk() -> DriftDesk | None:
    """The session's second opinions, if there are any."""
    catch_up()
    found: DriftDesk | None = st.session_state.get("drift_desk")
    return found


def draw_opinions(stage: str, served: str, higher: str, judge: str | None, share: float) -> None:
    """Draw tickets from the log by their satisfaction, and work out what asking the higher tier may cost."""
    batch, book = log_to_draw_from(), recorded(agent(), "second opinion")
    if batch is None:
        return
    rows, probability = drawn(batch, share)
    if not len(rows):
        say("No ticket was drawn at this share. Raise it, or load a longer log.")
        return
    arms = Arms(stage, book.router.named(served), (book.router.named(higher),))
    try:
        found = tickets_of(rows)
        task = Task(Shadowing(book, arms), make_judge(book, judge), true_labels(book, found.labels))
    except BadInput as error:
        say(str(error))
        return
    by = None if task.judge is None else task.judge.candidate
    whole = reserved(
        {
            r: shadow_usd(book.router, batch.input_tokens[int(r)].tolist(), arms, by, rubric_tokens(task.judge))
            for r in found.by_row
        }
    )
    version = None if task.judge is None else task.judge.rubric.version
    around = (log_mark("typical"), book.pipeline.runtime)
    made_of = (found.digest, stage, served, higher, judge, version, share, book.provenance, *around)
    job = digest("second opinions", *made_of)
    name_run(book, job)
    st.session_state.drift_desk = DriftDesk(
        stage,
        share,
        higher,
        job,
        whole.units,
        {str(r): float(p) for r, p in zip(rows.tolist(), probability, strict=True)},
        {str(r): _day(int(batch.days[r])) for r in rows.tolist()},
        found.by_row,
        task,
        None if whole.cost is None else whole.cost.most_usd,
    )


def _day(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat() if ordinal else ""


def run_opinions(cap_usd: Decimal) -> None:
    """Run the second opinions that have not run yet, under a cap."""
    desk = drift_desk()
    assert desk is not None
    assert desk.task is not None
    wait = REHEARSAL_WAIT_S if desk.task.shadowing.agent.provenance == "rehearsal" else 0.0
    try:
        jobs().start(desk.job, {"stage": desk.stage})
        work = opinion_work(shadow_work(desk.task, desk.tickets), desk.probability)
        told = at_cap(desk.task.shadowing.agent, cap_usd)
        desk.work = BoundedWork(desk.units, work, cap_usd, jobs(), desk.job, told).start(wait)
    except StoreError as error:
        say(str(error))


def import_opinions(stage: str, share: float, samples: tuple[Sample, ...]) -> None:
    """Take second opinions that were logged elsewhere."""
    st.session_state.drift_desk = DriftDesk(stage, share, imported=samples)


def note_drift(stage: str, since: str, said: str) -> None:
    """Keep an alarm in the ledger, once for each rise: the digest tells of it."""
    desk = drift_desk()
    # What was logged elsewhere counts as recorded; what the runs ask beside themselves is of the kind that runs now.
    asked: Provenance = "recorded" if desk is not None and desk.imported else agent().provenance
    task = None if desk is None else desk.task
    provenance = asked if task is None else task.shadowing.agent.provenance
    subject, run = f"{stage}, since {since}", "" if desk is None else desk.job
    if not any((e.subject, e.run) == (subject, run) for e in ledger().events(Filter(provenance), ("drift",))):
        ledger().note(Event(datetime.now(UTC), "drift", subject, said, provenance, run))
