"""A user's own evidence: results, shadow pairs and verdicts from CSV files."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.errors import BadInput, BadModel
from playground.evidence_file import (
    ALSO_OF_A_PROOF,
    PAIR_COLUMNS,
    PROOF_COLUMNS,
    ROW_COLUMNS,
    OwnEvidence,
    proofs_csv,
    read_own,
)
from playground.proofs import prompt_digest, void
from playground.records import Proof
from playground.ui import state
from playground.ui.widgets import SMALL_FILE_MB, plain, table


def own_evidence() -> None:
    """Draw the upload, what is in use, and the verdicts' keys."""
    st.subheader("Your own evidence")
    st.caption(
        "A CSV file of results, shadow pairs or verdicts. Results and pairs move the estimates; only a verdict counts as proven."
    )
    st.file_uploader("Load a CSV file", key="evidence_file", on_change=_load, max_upload_size=SMALL_FILE_MB)
    if message := st.session_state.get("evidence_error"):
        st.error(plain(message), icon=":material/error:")
    for problem in state.notebook().own.problems:
        st.warning(plain(problem))
    _in_use(state.notebook().own)
    with st.expander("Columns, and what a verdict must match"):
        st.markdown(
            f"- Results: {', '.join(ROW_COLUMNS)}; also effort, metric, date, source.\n"
            f"- Shadow pairs: {', '.join(PAIR_COLUMNS)}; also effort.\n"
            f"- Verdicts: {', '.join(PROOF_COLUMNS)}; also {', '.join(ALSO_OF_A_PROOF)}.\n\n"
            "A verdict holds for a model's litellm id (in the catalogue above), this agent, its version and these prompts:"
        )
        flow = state.pipeline()
        rows = [
            {"Stage": s.key, "Pipeline": flow.name, "Version": flow.version, "Prompt digest": prompt_digest(flow, s)}
            for s in flow.stages
        ]
        table(rows, {}, "What a verdict must match", "content")


def _load() -> None:
    st.session_state.evidence_error = None
    upload = st.session_state.evidence_file
    if upload is None:
        return
    book = state.notebook()
    try:
        read = read_own(upload.getvalue(), upload.name, {m.name for m in book.catalog.models})
    except BadInput as error:
        st.session_state.evidence_error = str(error)
        return
    st.session_state.rehearsed_pairs = st.session_state.get("rehearsed_pairs", set()) - set(read.pairs)
    book.own = OwnEvidence(
        (*book.own.rows, *read.rows), {**book.own.pairs, **read.pairs}, (*book.own.proofs, *read.proofs), read.problems
    )
    state.say(f"{upload.name}: {_counted(read)} taken. Run the ticket again to see what they change.")


def _in_use(own: OwnEvidence) -> None:
    if not (own.rows or own.pairs or own.proofs):
        return
    st.markdown(plain(f"In use: {_counted(own)} of your own."))
    if own.pairs:
        rows = [
            {"Stage": s, "Candidate": c, "Accepted": p.accepted, "Pairs": p.pairs} for (s, c), p in own.pairs.items()
        ]
        table(rows, {}, "Your shadow pairs", "content")
    if own.proofs:
        rows = [
            {
                "Stage": p.stage,
                "Candidate": p.candidate,
                "Verdict": p.verdict,
                "Instead of": p.current or "not said",
                "Margin": None if p.margin is None else p.margin * 100,
                "Decided on": p.decided_on,
                "Pairs": p.pairs,
                "Counted by": p.unit,
                "Judge": p.judge or "none",
                "Labels": p.labels,
                "From": p.provenance,
                "Holds now": _holds(p),
            }
            for p in own.proofs
        ]
        table(rows, {"Margin": st.column_config.NumberColumn(format="%.1f points")}, "Your verdicts", "content")
        st.download_button(
            "Verdicts as CSV",
            proofs_csv(own.proofs),
            "verdicts.csv",
            "text/csv",
            on_click="ignore",
            help="Verdicts that are recorded here stay in this server's ledger for later sessions. The file takes them elsewhere.",
        )
    st.button("Leave my evidence out", on_click=_forget)


def _holds(proof: Proof) -> str:
    """Whether a verdict holds for the agent as it stands, or why not."""
    flow, by = state.pipeline(), state.router()
    if proof.pipeline != flow.name:
        return f"no: it is for the agent {proof.pipeline}"
    try:
        candidate = by.named(proof.candidate)
    except BadModel:
        return "no: the candidate is not offered"
    why = void(proof, flow, flow.stage(proof.stage), candidate)
    return f"no: {why}" if why else "yes"


def _counted(own: OwnEvidence) -> str:
    kinds = (("result", own.rows), ("pair count", own.pairs), ("verdict", own.proofs))
    return ", ".join(f"{len(found)} {name}{'' if len(found) == 1 else 's'}" for name, found in kinds)


def _forget() -> None:
    book = state.notebook()
    book.own = replace(OwnEvidence())
    state.say("Your own evidence is left out.")
