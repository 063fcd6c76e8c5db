"""Two runs side by side: no word is lost in the marking, what differs comes first, and sums are never mixed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from playground.money import Total
from playground.recorded.compare import cell_pairs, output_text, said, sum_of
from playground.recorded.words_diff import MOST_WORDS, Piece, pieces
from playground.ui.run_pair import marked
from tests.recorded_helpers import lived, rehearsed

words = st.lists(st.sampled_from(["we", "refund", "you", "today", ".", "\n", " ", "  ", "No", "\t"]), max_size=30).map(
    " ".join
)


@settings(max_examples=200)
@given(first=words | st.text(max_size=80), second=words | st.text(max_size=80))
def test_both_texts_can_be_read_out_of_the_pieces(first: str, second: str) -> None:
    found = pieces(first, second)
    assert "".join(p.text for p in found if p.kind != "added") == first
    assert "".join(p.text for p in found if p.kind != "removed") == second
    assert all(p.text for p in found)


def test_a_change_of_a_few_words_is_marked_as_one() -> None:
    assert pieces("We refund you today.", "We paid it back today.") == (
        Piece("same", "We "),
        Piece("removed", "refund you"),
        Piece("added", "paid it back"),
        Piece("same", " today."),
    )
    assert pieces("same", "same") == (Piece("same", "same"),)
    assert pieces("", "") == ()


def test_long_texts_are_compared_line_by_line_and_soon() -> None:
    first = "\n".join(f"line {i} says what it says" for i in range(MOST_WORDS))
    second = first.replace("line 7 says", "line 7 denies")
    changed = [p for p in pieces(first, second) if p.kind != "same"]
    assert [p.text for p in changed] == ["line 7 says what it says\n", "line 7 denies what it says\n"]


def test_marked_text_is_inert() -> None:
    text = marked(pieces("<b>old</b> https://evil.example/x", "![a](https://evil.example/a.png) me@evil.example $x$"))
    assert "<b>" not in text
    assert "![a](" not in text
    assert "https://evil" not in text.replace("\\", "")
    assert "me@evil" not in text.replace("\\", "")
    assert "$x$" not in text


def test_what_differs_comes_first_and_is_named() -> None:
    (before, _), (routed, _) = rehearsed(plan="before"), rehearsed(plan="kr-auto")
    found = cell_pairs(before, routed)
    assert {p.stage for p in found} == {s.stage for s in before.steps}
    flags = [bool(p.differs) for p in found]
    assert flags == sorted(flags, reverse=True)
    moved = next(p for p in found if "model" in p.differs)
    assert "model" in said(moved.differs)
    assert "who answered" not in said(moved.differs)
    assert all(not p.differs for p in cell_pairs(before, before))


def test_a_stage_that_ran_on_one_side_only_is_told() -> None:
    trace, _ = rehearsed()
    short = replace(trace, steps=trace.steps[:3])
    missing = [p for p in cell_pairs(short, trace) if p.first is None]
    assert [p.stage for p in missing] == ["check", "respond", "summarise"]
    assert all(p.differs == ("state",) for p in missing)


def test_sums_are_those_of_the_receipts() -> None:
    (live, _), (dry, _) = lived(), rehearsed()
    for trace in (live, dry):
        found = sum_of(trace)
        assert found.cost == Total.of(r.cost_usd for r in trace.receipts)
        assert found.input_tokens == sum(r.usage.input_tokens for r in trace.receipts)
        assert found.attempts == len(trace.receipts)
    assert sum_of(dry).latency_s is None
    assert sum_of(live).latency_s == 0.25 * len(live.steps)


def test_an_output_in_parts_is_read_with_its_lines() -> None:
    trace, _ = rehearsed()
    draft = trace.step("draft")
    assert draft is not None
    assert isinstance(draft.output, dict)
    text = output_text(draft)
    assert draft.output["answer"] in text
    assert "\\n" not in text
