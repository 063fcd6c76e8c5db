"""A user's own evidence: every bad line is named, and the rest is used."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from playground.catalog import load_catalog
from playground.errors import BadEvidence
from playground.evidence_file import OwnEvidence, proofs_csv, read_own
from playground.records import Pairs, Proof

NAMES = {m.name for m in load_catalog().models}
HEAD = "stage,model,benchmark,value,unit,n,grade"
GOOD = "draft,gpt-5.4,mine,91,pct,200,A"


def read(*lines: str) -> OwnEvidence:
    return read_own("\n".join(lines).encode(), "own.csv", NAMES)


def test_a_result_is_read_with_its_defaults() -> None:
    (row,) = read(HEAD, GOOD).rows
    assert (row.stage, row.model, row.effort, row.value, row.n, row.source) == (
        "draft",
        "gpt-5.4",
        "default",
        91.0,
        200,
        "your own file",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("drafting,gpt-5.4,mine,91,pct,200,A", "stage 'drafting' is not one of intent, rerank"),
        ("draft,gpt-99,mine,91,pct,200,A", "the catalogue has no model 'gpt-99'"),
        ("draft,gpt-5.4,mine,191,pct,200,A", "value 191 is out of range: 0 to 100"),
        ("draft,gpt-5.4,mine,nan,pct,200,A", "value nan is out of range"),
        ("draft,gpt-5.4,mine,high,pct,200,A", "value 'high' is not a number"),
        ("draft,gpt-5.4,mine,91,pct,,A", "n is missing"),
        ("draft,gpt-5.4,mine,91,pct,0,A", "n 0 is out of range"),
        ("draft,gpt-5.4,mine,91,percent,200,A", "unit 'percent' is not one of pct, 0-1, score, elo"),
        ("draft,gpt-5.4,mine,91,pct,200,D", "grade 'D' is not one of A, B, C"),
        ("draft,gpt-5.4,,91,pct,200,A", "benchmark is missing"),
        ("draft", "unit '' is not one of"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_used(line: str, said: str) -> None:
    own = read(HEAD, line, GOOD)
    assert len(own.rows) == 1
    assert own.problems[0].startswith("own.csv, line 2: ")
    assert said in own.problems[0]


def test_two_lines_that_contradict_each_other_are_named_and_both_count() -> None:
    own = read(HEAD, GOOD, GOOD.replace("91", "52"))
    assert len(own.rows) == 2
    assert own.problems == ("own.csv, lines 2 and 3 contradict each other: gpt-5.4 has 91 and 52 on mine. Both count.",)


def test_pairs_of_a_cell_add_up() -> None:
    own = read(
        "stage,model,effort,accepted,pairs", "draft,gpt-5.4,low,90,100", "draft,gpt-5.4,low,45,50", "check,gpt-5.4,,9,8"
    )
    assert own.pairs == {("draft", "gpt-5.4 @low"): Pairs(135, 150)}
    assert "accepted 9 is out of range: 0 to 8" in own.problems[0]


def test_a_verdict_is_read() -> None:
    head = "stage,model,model_id,pipeline,version,prompt_digest,pairs,decided_on,provenance"
    own = read(
        head,
        "draft,gpt-5.4,gpt-5.4,support,1,abc,2000,2026-11-20,live",
        "draft,gpt-5.4,gpt-5.4,support,1,abc,2000,soon,live",
    )
    assert own.proofs[0].pairs == 2000
    assert "is not a date" in own.problems[0]


@pytest.mark.parametrize("raw", [b"", b"a,b\n1,2\n", HEAD.encode(), b"\xff\xfe\x00", b"x" * 2_000_001])
def test_a_file_that_is_none_of_these_is_refused_in_one_sentence(raw: bytes) -> None:
    with pytest.raises(BadEvidence, match=r"^own\.csv"):
        read_own(raw, "own.csv", NAMES)


@pytest.mark.parametrize(
    ("pairs", "day", "said"),
    [
        ("1", "2026-11-20", "pairs 1 is out of range: 100"),
        ("2000", "2999-01-01", "decided_on 2999-01-01 lies in the future"),
    ],
)
def test_a_verdict_that_cannot_be_is_named_and_left_out(pairs: str, day: str, said: str) -> None:
    head = "stage,model,model_id,pipeline,version,prompt_digest,pairs,decided_on,provenance"
    own = read(head, f"draft,gpt-5.4,gpt-5.4,support,1,abc,{pairs},{day},live")
    assert own.proofs == ()
    assert said in own.problems[0]


def test_pairs_of_a_cell_that_stood_before_are_said() -> None:
    own = read("stage,model,accepted,pairs", "draft,gpt-5.4,290,300", "draft,gpt-5.4,3,300")
    assert own.pairs == {("draft", "gpt-5.4"): Pairs(293, 600)}
    assert "stood before; the pairs are added up" in own.problems[0]


def test_verdicts_written_as_a_file_are_read_back_as_they_were() -> None:
    plain = Proof("intent", "gpt-5.4-mini", "gpt-5.4-mini", "support", "1", "ab", 500, date(2026, 11, 1), "recorded")
    whole = replace(
        plain,
        candidate="gpt-5.4-mini @low",
        verdict="KEEP",
        current="gpt-5.4",
        margin=0.02,
        unit="thread",
        judge='claude-haiku-4-5, rubric "3"',
        labels=40,
    )
    read = read_own(proofs_csv((plain, whole)), "verdicts.csv", {"gpt-5.4-mini"})
    assert (read.proofs, read.problems) == ((plain, whole), ())


def test_a_short_keep_survives_its_file_and_a_short_cut_over_does_not() -> None:
    keep = Proof("intent", "gpt-5.4-mini", "x", "support", "1", "ab", 40, date(2026, 11, 1), "live", verdict="KEEP")
    assert read_own(proofs_csv((keep,)), "v.csv", {"gpt-5.4-mini"}).proofs == (keep,)
    assert read_own(proofs_csv((replace(keep, verdict="CUT OVER"),)), "v.csv", {"gpt-5.4-mini"}).proofs == ()


@pytest.mark.parametrize(
    ("column", "value"), [("verdict", "MAYBE"), ("margin", "1.5"), ("unit", "week"), ("labels", "-1")]
)
def test_a_verdict_with_a_bad_cell_is_left_out_and_named(column: str, value: str) -> None:
    good = Proof("intent", "gpt-5.4-mini", "gpt-5.4-mini", "support", "1", "ab", 500, date(2026, 11, 1), "recorded")
    head, line = proofs_csv((good,)).decode().splitlines()
    cells = dict(zip(head.split(","), line.split(","), strict=True)) | {column: value}
    read = read_own(f"{head}\n{','.join(cells.values())}\n".encode(), "verdicts.csv", {"gpt-5.4-mini"})
    assert read.proofs == ()
    assert column in read.problems[0]
