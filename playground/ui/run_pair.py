"""Two runs side by side: their sums, and each stage with what differs marked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from playground.money import percent_change
from playground.prices import PRICE_DATE
from playground.recorded import Recording
from playground.recorded.compare import Cell, CellPair, cell_pairs, said, sum_of
from playground.recorded.words_diff import Kind, Piece, pieces
from playground.records import Trace
from playground.ui import state
from playground.ui.recording_box import prices_said
from playground.ui.widgets import PROVENANCE, dollars, plain, table

MARK: dict[Kind, tuple[str, str]] = {
    "same": ("", ""),
    "removed": (":red-background[~~", "~~]"),
    "added": (":green-background[**", "**]"),
}
SHOWN_CHARS = 20_000
RIGHT = st.column_config.TextColumn(alignment="right")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs. `origin` is live or rehearsal, and stays what it was when it is replayed."""

    trace: Trace
    origin: str
    label: str
    prices: str


def own_side() -> Side | None:
    """The session's own run."""
    done = state.own_trace()
    if done is None or state.is_running():
        return None
    return Side(done, done.provenance, PROVENANCE[done.provenance], f"Prices of {PRICE_DATE:%-d %B %Y}.")


def recorded_side(found: Recording) -> Side:
    """A recorded run."""
    return Side(found.trace, found.origin, found.label, prices_said(found))


def show_pair(first: Side, second: Side) -> None:
    """Draw both runs: whose they are, their sums, then every stage."""
    for column, side, name in zip(st.columns(2), (first, second), "AB", strict=True):
        with column:
            _head(side, name)
    if first.origin != second.origin:
        st.warning(
            "One of these is a rehearsal and the other called models. Their texts and times say nothing of each other."
        )
    _sums(first.trace, second.trace)
    only = st.toggle("Only what differs", True, key="compare_only")
    found = cell_pairs(first.trace, second.trace)
    same = [p for p in found if not p.differs]
    for pair in found:
        if pair.differs or not only:
            _stage(pair)
    if same:
        names = ", ".join(title(p.stage) for p in same)
        st.caption(plain(f"The same in both: {names}."))


def _head(side: Side, name: str) -> None:
    ticket = side.trace.ticket
    st.markdown(f"**{name}. {plain(ticket.subject or ticket.id)}**")
    st.caption(plain(f"{side.label} {side.prices} Agent {side.trace.pipeline}, plan {side.trace.plan}."))


def _sums(first: Trace, second: Trace) -> None:
    a, b = sum_of(first), sum_of(second)
    change = percent_change(b.cost.exact_usd, a.cost.exact_usd)
    rows = [
        _row("Cost", str(a.cost), str(b.cost), change),
        _row("Tokens in", f"{a.input_tokens:,}", f"{b.input_tokens:,}", _more(b.input_tokens - a.input_tokens)),
        _row("Tokens out", f"{a.output_tokens:,}", f"{b.output_tokens:,}", _more(b.output_tokens - a.output_tokens)),
        _row("Attempts", f"{a.attempts}", f"{b.attempts}", _more(b.attempts - a.attempts)),
    ]
    rows += (
        [] if a.latency_s is b.latency_s is None else [_row("Seconds", seconds(a.latency_s), seconds(b.latency_s), "")]
    )
    table(rows, dict.fromkeys(("A", "B", "B against A"), RIGHT), "Both runs in sum", "content")


def _row(name: str, a: str, b: str, change: str) -> dict[str, object]:
    return {"": name, "A": a, "B": b, "B against A": change}


def _more(n: int) -> str:
    return f"{n:+,}" if n else "same"


def seconds(found: float | None) -> str:
    """Seconds of a call; a rehearsal has none."""
    return "not measured" if found is None else f"{found:.2f}"


def title(stage: str) -> str:
    """A stage as a person calls it."""
    flow = state.notebook().pipeline
    return next((s.title for s in flow.stages if s.key == stage), stage)


def _stage(pair: CellPair) -> None:
    with st.container(border=True, key=f"compare_{pair.stage}", gap="small"):
        differs = f"Differs in {said(pair.differs)}." if pair.differs else "The same in both."
        st.markdown(f"**{plain(title(pair.stage))}**")
        st.caption(differs)
        left, right = st.columns(2)
        with left:
            _cell("A", pair.first, pair.second)
        with right:
            _cell("B", pair.second, pair.first)
        _outputs(pair)


def _cell(name: str, cell: Cell | None, other: Cell | None) -> None:
    if cell is None:
        st.caption(f"{name}: this stage did not run.")
        return
    marked = _marked(cell.model, other is not None and other.model != cell.model)
    st.markdown(f"{name}\u2002{marked}\u2002{dollars(str(cell.cost))}")
    time = "" if cell.latency_s is None else f", {seconds(cell.latency_s)} s"
    st.caption(plain(f"{cell.input_tokens:,} in, {cell.output_tokens:,} out{time}. {_sentence(cell)}"))


def _sentence(cell: Cell) -> str:
    others = [m for m in cell.answered_by if m != cell.model]
    tried = f" Also asked: {', '.join(others)}." if others else ""
    state_said = "" if cell.state == "done" else f" {cell.state[:1].upper()}{cell.state[1:]}."
    return f"{cell.reason[:1].upper()}{cell.reason[1:]}.{tried}{state_said}"


def _marked(text: str, differs: bool) -> str:
    return f"**{plain(text)}**" if differs else plain(text)


def _outputs(pair: CellPair) -> None:
    a = "" if pair.first is None else pair.first.output
    b = "" if pair.second is None else pair.second.output
    if a == b:
        st.caption("The output is the same." if a else "No output.")
        return
    found = pieces(a[:SHOWN_CHARS], b[:SHOWN_CHARS])
    for column, without in zip(st.columns(2), ("added", "removed"), strict=True):
        column.markdown(marked(p for p in found if p.kind != without))
    st.caption("Struck out: only in A. Bold: only in B.")


def marked(found: Iterable[Piece]) -> str:
    """Pieces as Markdown: every character from outside is shown as it is, and lines stay lines."""
    return "".join(_piece(p) for p in found)


def _piece(piece: Piece) -> str:
    lines = piece.text.split("\n")
    return "  \n".join(_line(line, piece.kind) for line in lines)


def _line(line: str, kind: Kind) -> str:
    """One line's stretch. Markdown forgets spaces at its ends, and a mark must not begin or end with one."""
    bare = line.strip()
    if not bare:
        return "\u00a0" * min(len(line), 8) if line.startswith("  ") else line[:1]
    start, end = MARK[kind]
    lead = line[: len(line) - len(line.lstrip())]
    indent = "\u00a0" * min(len(lead), 8) if len(lead) > 1 else lead
    return f"{indent}{start}{plain(bare)}{end}{' ' if line[-1:].isspace() else ''}"
