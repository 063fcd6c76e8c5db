"""A stage's output as a support lead reads it; text from models is shown as text, never as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from playground.prompts import as_text
from playground.records import Passage, Step
from playground.ui.widgets import plain, table

SCORE = st.column_config.ProgressColumn(
    min_value=0, max_value=10, format="%.1f", help="0 useless, 10 answers the ticket."
)


def show_output(step: Step) -> None:
    """Draw a step's output, or what arrived instead of one."""
    if step.output is None:
        _unusable(step)
    elif isinstance(step.output, str):
        st.text(step.output)
    elif set(step.output) == {"scores"}:
        _passages(step.passages)
    else:
        needs, draw = _SHAPES.get(step.stage, (frozenset(), _json))
        (draw if needs <= set(step.output) else _json)(step.output)


def _unusable(step: Step) -> None:
    for attempt in step.asked:
        st.caption(plain(f"{attempt.candidate.key}: {' '.join(attempt.verdict.findings)}"))
        st.text(attempt.text or "(nothing arrived)")


def _passages(passages: tuple[Passage, ...]) -> None:
    rows = [{"Passage": p.title, "Id": p.id, "Score": p.score} for p in passages]
    table(rows, {"Score": SCORE}, "Passages kept, best first", "content")


def _intent(output: Mapping[str, Any]) -> None:
    st.text(f"{output['label']}, language {output['language']}, confidence {output['confidence']:.2f}")


def _draft(output: Mapping[str, Any]) -> None:
    st.text(output["answer"])
    cites = f"Cites {', '.join(output['citations'])}." if output["citations"] else "Cites nothing."
    st.caption(plain(f"Confidence {output['confidence']:.2f}. {cites}"))
    if output["open_questions"]:
        st.text("Left for a person:\n" + "\n".join(f"- {q}" for q in output["open_questions"]))


def _check(output: Mapping[str, Any]) -> None:
    rows = [{"Policy": f["policy"], "Problem": f["problem"], "Change": f["change"]} for f in output["findings"]]
    if rows:
        wide = st.column_config.TextColumn(width="large")
        table(rows, {"Problem": wide, "Change": wide}, "Findings", "content")
    else:
        st.text("No findings: the draft may be sent.")
    if output["escalate"]:
        st.text("A policy asks for a person to take over.")


def _json(output: Mapping[str, Any]) -> None:
    st.code(as_text(output), language="json", wrap_lines=True)


_SHAPES: Mapping[str, tuple[frozenset[str], Callable[[Mapping[str, Any]], None]]] = {
    "intent": (frozenset({"label", "language", "confidence"}), _intent),
    "draft": (frozenset({"answer", "citations", "confidence", "open_questions"}), _draft),
    "check": (frozenset({"findings", "escalate"}), _check),
}
