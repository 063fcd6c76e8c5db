"""What the pairs of the session's evaluation say, people's labels, and what is made of a verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256

import streamlit as st

from playground.anchored import MINIMUM_LABELS
from playground.cut_over import Assessment, Labels, Unit, assess, usual_unit
from playground.evidence_file import LEAST_PAIRS_OF_A_VERDICT, OwnEvidence
from playground.jobs import StoreError
from playground.pairs import Pair, ballot_of
from playground.proofs import prompt_digest, void
from playground.records import Event, EventKind, Pairs, Proof, Provenance
from playground.scoring import bias_of
from playground.shadow_job import pairs_of
from playground.ui.state.knobs import pipeline, router
from playground.ui.state.ledger import ledger
from playground.ui.state.remember import keep_verdict
from playground.ui.state.sample import jobs
from playground.ui.state.session import notebook, say
from playground.ui.state.shadow import ShadowDesk, labels_job, shadow_desk


def pairs_for_candidate(desk: ShadowDesk, candidate: str) -> list[Pair]:
    """A candidate's pairs, in the order in which they came."""
    return list(pairs_of(list(desk.payloads.values()), candidate))


def assessments() -> dict[str, Assessment]:
    """What the pairs say of each candidate; worked out once for each state of them."""
    desk = shadow_desk()
    if desk is None or not desk.payloads:
        return {}
    unit = unit_of(desk)
    key = (len(desk.payloads), desk.margin, unit, sum(map(len, desk.labels.values())))
    if desk.kept is None or desk.kept[0] != key:
        found = {}
        for c in desk.arms.candidates:
            found[c.key] = assess(pairs_for_candidate(desk, c.key), desk.margin, unit, people_say(desk, c.key))
        desk.kept = (key, found)
    return desk.kept[1]


def people_say(desk: ShadowDesk, candidate: str) -> Labels | None:
    """People's labels, once all that was asked is answered: an open pair would count as one that was not drawn."""
    by_people = desk.labels.get(candidate, {})
    if not by_people or to_label(desk, candidate)[0]:
        return None
    return Labels(labels_of(desk, candidate), desk.share, frozenset(by_people))


def only_agreement(desk: ShadowDesk) -> bool:
    """Whether all that was seen is how far the arms agree, which says of no difference who was right."""
    kinds = {p.kind for c in desk.arms.candidates for p in pairs_for_candidate(desk, c.key) if p.kind != "failed"}
    return bool(kinds) and all("agreement" in kind for kind in kinds)


def judge_warning(pairs: list[Pair]) -> str:
    """A sentence where the judge should not be trusted; empty otherwise."""
    return bias_of(map(ballot_of, pairs)).warning


def judge_caution(pairs: list[Pair]) -> str:
    """A sentence where the judge may like long answers; empty otherwise."""
    return bias_of(map(ballot_of, pairs)).caution


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
    return [p for p in pairs_for_candidate(desk, candidate) if p.texts is not None and _drawn(p.ticket) < desk.share]


def _drawn(ticket: str) -> float:
    """A number from 0 to 1 that a ticket alone decides: pairs below the share are shown to people."""
    return int(sha256(ticket.encode("utf-8", "replace")).hexdigest()[:8], 16) / 0x100000000


def unit_of(desk: ShadowDesk) -> Unit:
    """What counts as one: as chosen, else what tickets share."""
    return desk.unit or usual_unit([p for c in desk.arms.candidates for p in pairs_for_candidate(desk, c.key)])


def void_now(desk: ShadowDesk) -> str:
    """Why these pairs say nothing of the agent as it stands; empty where they do."""
    flow, ran = pipeline(), desk.agent.pipeline
    stage = ran.stage(desk.arms.stage)
    if (flow.name, flow.version) != (ran.name, ran.version):
        return "they ran on another agent"
    if prompt_digest(flow, flow.stage(stage.key)) != prompt_digest(ran, stage):
        return "the prompt has changed since"
    if desk.arms.current.key != router().named(flow.stage(stage.key).before).key:
        return f"they compare with {desk.arms.current.key}, and this stage runs on {flow.stage(stage.key).before}"
    return ""


def equal_answers(desk: ShadowDesk, candidate: str) -> int:
    """Pairs of the sample that nobody need be asked about, because both answers are the same."""
    return sum(p.texts is not None and p.texts[1] == p.texts[2] for p in _asked(desk, candidate))


def label(candidate: str, ticket: str, value: float) -> None:
    """Keep a person's label: the candidate's answer minus the current one's. It outlives the session with the pairs."""
    desk = shadow_desk()
    assert desk is not None
    desk.labels.setdefault(candidate, {})[ticket] = value
    found = {"candidate": candidate, "ticket": ticket, "value": value}
    try:
        jobs().add(labels_job(desk.job), f"{candidate}#{ticket}", found)
    except StoreError as error:
        say(f"{error} The label counts in this session only.")


def why_not_recorded(desk: ShadowDesk, candidate: str, found: Assessment) -> str:
    """Why a verdict cannot be recorded; empty where it can."""
    pairs = pairs_for_candidate(desk, candidate)
    if found.verdict == "CONTINUE":
        return "There is no verdict yet."
    if why := void_now(desk):
        return f"These pairs are void: {why}."
    if found.unit == "ticket" and usual_unit(pairs) != "ticket":
        return f"Tickets of one {usual_unit(pairs)} are alike. Let each {usual_unit(pairs)} count as one."
    if found.unit != "ticket" and desk.work is not None and desk.work.left:
        return f"A {found.unit}'s mean still changes: let every ticket run first."
    if _proof(desk, candidate, found) in notebook().own.proofs:
        return "It is recorded already."
    if judge_warning(pairs):
        return "The judge cannot be trusted, so nothing it says is recorded."
    if found.verdict == "KEEP":
        return ""
    if any(p.kind == "judge" for p in pairs) and not found.anchored:
        return f"Judge only: a judge may be lenient, so {MINIMUM_LABELS} labels by people come first."
    if found.pairs < LEAST_PAIRS_OF_A_VERDICT:
        return f"A verdict of fewer than {LEAST_PAIRS_OF_A_VERDICT} pairs is not recorded."
    return ""


def record_verdict(candidate: str) -> None:
    """Keep a verdict for this agent, prompt and model: CUT OVER proves, KEEP forbids."""
    desk, book = shadow_desk(), notebook()
    assert desk is not None
    found, stage = assessments()[candidate], desk.agent.pipeline.stage(desk.arms.stage)
    proof = _proof(desk, candidate, found)
    book.own = replace(book.own, proofs=(*book.own.proofs, proof))
    _note(proof, stage.title, desk.job)
    keep_verdict(proof)
    if proof.verdict == "CUT OVER":
        said = f"{candidate} may take over {stage.title}: the proven choice uses it"
    else:
        said = f"{candidate} is not proven for {stage.title}, and the estimated choice changes only if it learns from the pairs"
    holds = "It holds for this prompt, agent version and model, in later sessions too."
    say(f"Recorded: {said}. {holds} Models and prices has it as a file.")


def _note(proof: Proof, title: str, run: str) -> None:
    """The digest tells of it."""
    said = f"{proof.candidate} at {title}: {proof.verdict} on {proof.pairs:,} pairs."
    kind: EventKind = "cut over" if proof.verdict == "CUT OVER" else "keep"
    ledger().note(Event(datetime.now(UTC), kind, proof.stage, said, proof.provenance, run))


def _proof(desk: ShadowDesk, candidate: str, found: Assessment) -> Proof:
    flow, pairs = desk.agent.pipeline, pairs_for_candidate(desk, candidate)
    stage, model = flow.stage(desk.arms.stage), desk.agent.router.named(candidate).model
    seen = {p.provenance for p in pairs}
    provenance: Provenance = next((p for p in ("rehearsal", "recorded") if p in seen), "live")
    return Proof(
        stage=stage.key,
        candidate=candidate,
        model_id=model.id,
        pipeline=flow.name,
        version=flow.version,
        prompt_digest=prompt_digest(flow, stage),
        pairs=found.pairs,
        decided_on=date.today(),
        provenance=provenance,
        verdict="CUT OVER" if found.verdict == "CUT OVER" else "KEEP",
        current=desk.arms.current.key,
        margin=found.margin,
        unit=found.unit,
        judge=desk.judge,
        labels=found.labels,
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


def agreed_so_far(desk: ShadowDesk, candidate: str) -> tuple[int, int]:
    """Of the pairs that a person has labelled: on how many the score says the same, and how many they are."""
    said = desk.labels.get(candidate, {})
    pairs = [p for p in pairs_for_candidate(desk, candidate) if p.ticket in said and not p.missing]
    return sum((p.value > 0) - (p.value < 0) == said[p.ticket] for p in pairs), len(pairs)


def proofs_that_hold() -> tuple[Proof, ...]:
    """Recorded verdicts that hold for the agent as it stands."""
    flow, by = pipeline(), router()
    own = [p for p in notebook().own.proofs if p.pipeline == flow.name]
    known = {c.key: c for c in by.candidates}
    return tuple(p for p in own if p.candidate in known and not void(p, flow, flow.stage(p.stage), known[p.candidate]))
