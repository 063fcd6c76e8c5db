"""The session's shadow evaluation: who is compared at which stage, the run, people's labels, and what the pairs say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import streamlit as st

from playground.bounded import Unit, Work
from playground.cut_over import Assessment, Labels, assess
from playground.cut_over import Unit as PairUnit
from playground.errors import BadInput
from playground.evidence_file import OwnEvidence
from playground.jobs import StoreError
from playground.logged_outputs import Logged, logged_work
from playground.loop import Agent
from playground.money import ZERO
from playground.pairs import Pair, as_payload, ballot_of
from playground.pipeline import Stage
from playground.proofs import prompt_digest
from playground.records import Candidate, Pairs, Proof, Provenance, Ticket
from playground.sample import digest_of, draw, tickets_at
from playground.scoring import JUDGED, Judge, Rubric, bias_of, fit_judges, parse_rubric, shipped_rubric
from playground.shadow import Arms, Shadowing
from playground.shadow_job import Task, pairs_of, shadow_work
from playground.tokens import count
from playground.ui.bounded_work import BoundedWork
from playground.ui.state.knobs import agent, pipeline, router
from playground.ui.state.log import load_sample_log, log_desk
from playground.ui.state.runs import digest
from playground.ui.state.sample import REHEARSAL_WAIT_S, jobs
from playground.ui.state.session import notebook, say
from playground.worst_case import Cost, judged_usd, shadow_usd

LABELLED_SHARE = 0.10
"""How many pairs people are asked about: each with this probability, by a number that its ticket alone decides."""


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
    unit: PairUnit = "ticket"
    imported: bool = False
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
    if log_desk().priced is None:
        load_sample_log()
    desk, book = log_desk(), agent()
    if desk.priced is None or desk.path is None or desk.columns is None:
        say("There is no priced ticket log to draw from. Price one on the Ticket log page.")
        return
    drawn = draw(desk.priced, n)
    arms = Arms(stage, book.router.named(current), tuple(book.router.named(c) for c in candidates))
    try:
        found = tickets_at(desk.path, desk.columns, drawn.rows.tolist())
        labels = zip((t.id for t in found), desk.priced.labels[drawn.rows].tolist(), strict=True)
        task = Task(Shadowing(book, arms), make_judge(book, judge), true_labels(book, dict(labels)), keep_texts)
    except BadInput as error:
        say(str(error))
        return
    by_row = dict(zip(map(str, drawn.rows.tolist()), found, strict=True))
    judged_by = None if task.judge is None else task.judge.candidate
    costs = {r: shadow_usd(book.router, desk.priced.input_tokens[int(r)].tolist(), arms, judged_by) for r in by_row}
    known = [c for c in costs.values() if c is not None]
    whole = Cost(sum((c.usual_usd for c in known), ZERO), sum((c.most_usd for c in known), ZERO))
    rubric = "" if task.judge is None else (judge, task.judge.rubric.version)
    st.session_state.shadow_desk = ShadowDesk(
        arms,
        book,
        digest(digest_of(found), arms.stage, [c.key for c in arms.all], rubric, book.provenance, pipeline()),
        tuple(Unit(row, ZERO if c is None else c.most_usd) for row, c in costs.items()),
        by_row,
        shadow_work(task, by_row),
        whole if len(known) == len(costs) else None,
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
    return Judge(candidate, book.complete, book.provenance, rubric(), book.pipeline.name, quality=quality)


def run_shadow(cap_usd: Decimal) -> None:
    """Run the pairs that have not run yet, under a cap on all that this evaluation costs."""
    desk = shadow_desk()
    assert desk is not None
    assert desk.work_of is not None
    wait = REHEARSAL_WAIT_S if desk.agent.provenance == "rehearsal" else 0.0
    try:
        jobs().start(desk.job, {"stage": desk.arms.stage, "arms": [c.key for c in desk.arms.all]})
        desk.work = BoundedWork(desk.units, desk.work_of, cap_usd, jobs(), desk.job).start(wait)
    except StoreError as error:
        say(str(error))
        return
    collect_shadow()


def collect_shadow() -> None:
    """Take what a run has found so far. The frame calls it before every page."""
    desk = shadow_desk()
    if desk is None or desk.work is None:
        return
    desk.work.look()
    desk.payloads = dict(desk.work.payloads)


def cancel_shadow() -> None:
    """Pause: start no more, keep what is done."""
    desk = shadow_desk()
    if desk is not None and desk.work is not None:
        desk.work.cancel()


def forget_shadow() -> None:
    """Drop the evaluation, its stored pairs too."""
    desk = shadow_desk()
    if desk is not None:
        if not desk.imported:
            jobs().forget(desk.job)
        del st.session_state.shadow_desk


def import_pairs(stage: str, current: str, candidate: str, pairs: list[Pair]) -> None:
    """Take pairs that were scored elsewhere; what they prove is live."""
    book = agent()
    arms = Arms(stage, book.router.named(current), (book.router.named(candidate),))
    payloads = {
        str(i): {"pairs": {candidate: as_payload(replace(p, provenance="live"))}, "why": ""}
        for i, p in enumerate(pairs)
    }
    st.session_state.shadow_desk = ShadowDesk(arms, book, "imported", payloads=dict(payloads), imported=True)


def import_outputs(stage: str, current: str, candidate: str, judge: str | None, outputs: list[Logged]) -> None:
    """Take outputs that were logged elsewhere; they are scored here, and judged under a cap where only a judge can."""
    book = agent()
    flow, by = book.pipeline.stage(stage), make_judge(book, judge)
    arms = Arms(stage, book.router.named(current), (book.router.named(candidate),))
    if stage in JUDGED and by is None:
        raise BadInput("These outputs can only be compared by a judge. Choose one above first.")
    costs = [_to_judge(flow, o, by) for o in outputs]
    known = [c for c in costs if c is not None]
    whole = Cost(sum((c.usual_usd for c in known), ZERO), sum((c.most_usd for c in known), ZERO))
    st.session_state.shadow_desk = ShadowDesk(
        arms,
        book,
        digest(
            "outputs",
            outputs,
            stage,
            current,
            candidate,
            None if by is None else (judge, by.rubric.version),
            book.provenance,
        ),
        tuple(Unit(str(i), ZERO if c is None else c.most_usd) for i, c in enumerate(costs)),
        work_of=logged_work(book, flow, candidate, by, outputs, bool(st.session_state.get("shadow_keep", False))),
        cost=whole if len(known) == len(costs) else None,
    )
    if by is None:
        run_shadow(ZERO)


def _to_judge(stage: Stage, output: Logged, by: Judge | None) -> Cost | None:
    if by is None or stage.key not in JUDGED:
        return Cost(ZERO, ZERO)
    return judged_usd(stage, count(output.ticket.text + output.current + output.candidate), by.candidate)


def pairs_for_candidate(desk: ShadowDesk, candidate: str) -> list[Pair]:
    """A candidate's pairs, in the order in which they came."""
    return list(pairs_of(list(desk.payloads.values()), candidate))


def assessments() -> dict[str, Assessment]:
    """What the pairs say of each candidate; worked out once for each state of them."""
    desk = shadow_desk()
    if desk is None or not desk.payloads:
        return {}
    key = (len(desk.payloads), desk.margin, desk.unit, sum(map(len, desk.labels.values())))
    if desk.kept is None or desk.kept[0] != key:
        found = {}
        for c in desk.arms.candidates:
            found[c.key] = assess(pairs_for_candidate(desk, c.key), desk.margin, desk.unit, people_say(desk, c.key))
        desk.kept = (key, found)
    return desk.kept[1]


def people_say(desk: ShadowDesk, candidate: str) -> Labels | None:
    """People's labels, once all that was asked is answered: an open pair would count as one that was not drawn."""
    by_people = desk.labels.get(candidate, {})
    if not by_people or to_label(desk, candidate)[0]:
        return None
    return Labels(labels_of(desk, candidate), LABELLED_SHARE, frozenset(by_people))


def only_agreement(desk: ShadowDesk) -> bool:
    """Whether all that was seen is how far the arms agree, which says of no difference who was right."""
    kinds = {p.kind for c in desk.arms.candidates for p in pairs_for_candidate(desk, c.key) if p.kind != "failed"}
    return bool(kinds) and all("agreement" in kind for kind in kinds)


def judge_warning(pairs: list[Pair]) -> str:
    """A sentence where the judge should not be trusted; empty otherwise."""
    return bias_of(map(ballot_of, pairs)).warning


def to_label(desk: ShadowDesk, candidate: str) -> tuple[list[Pair], list[Pair]]:
    """Pairs of the random sample that people are asked about: those still open, and all of them."""
    asked = _asked(desk, candidate)
    done = labels_of(desk, candidate)
    return [p for p in asked if p.ticket not in done], asked


def labels_of(desk: ShadowDesk, candidate: str) -> dict[str, float]:
    """People's labels by ticket. Nobody need be asked which of two equal answers is better."""
    same = {p.ticket: 0.0 for p in _asked(desk, candidate) if p.texts is not None and p.texts[1] == p.texts[2]}
    return {**same, **desk.labels.get(candidate, {})}


def _asked(desk: ShadowDesk, candidate: str) -> list[Pair]:
    return [p for p in pairs_for_candidate(desk, candidate) if p.texts is not None and _is_asked(p.ticket)]


def _is_asked(ticket: str) -> bool:
    return int(sha256(ticket.encode("utf-8", "replace")).hexdigest()[:8], 16) / 0x100000000 < LABELLED_SHARE


def label(candidate: str, ticket: str, value: float) -> None:
    """Keep a person's label: the candidate's answer minus the current one's."""
    desk = shadow_desk()
    assert desk is not None
    desk.labels.setdefault(candidate, {})[ticket] = value


def record_verdict(candidate: str) -> None:
    """Keep a CUT OVER as proof for this agent, prompt and model."""
    desk, book = shadow_desk(), notebook()
    assert desk is not None
    flow, found = desk.agent.pipeline, assessments()[candidate]
    stage, model = flow.stage(desk.arms.stage), desk.agent.router.named(candidate).model
    rehearsed = any(p.provenance == "rehearsal" for p in pairs_for_candidate(desk, candidate))
    provenance: Provenance = "rehearsal" if rehearsed else "live"
    proof = Proof(
        stage.key,
        candidate,
        model.id,
        flow.name,
        flow.version,
        prompt_digest(stage),
        found.pairs,
        date.today(),
        provenance,
    )
    book.own = replace(book.own, proofs=(*book.own.proofs, proof))
    say(
        f"Recorded: {candidate} may take over {stage.title}. It counts as proven for this prompt, agent version and model."
    )


def use_pairs(candidate: str) -> None:
    """Let the router's estimates learn from these pairs: a pair counts as accepted where the candidate did not lose."""
    desk, book = shadow_desk(), notebook()
    assert desk is not None
    pairs = [p for p in pairs_for_candidate(desk, candidate) if not p.missing]
    # A pair that agrees to nine tenths is accepted to nine tenths.
    accepted = sum(min(1.0, 1 + p.value) for p in pairs)
    cell = (desk.arms.stage, candidate)
    known = st.session_state.get("rehearsed_pairs", set()) - {cell}
    rehearsed = any(p.provenance == "rehearsal" for p in pairs)
    st.session_state.rehearsed_pairs = known | ({cell} if rehearsed else set())
    own = {**book.own.pairs, (desk.arms.stage, candidate): Pairs(accepted, len(pairs))}
    book.own = OwnEvidence(book.own.rows, own, book.own.proofs, book.own.problems)
    say(f"{len(pairs):,} pairs of {candidate} now count in the router's estimates at this stage.")
