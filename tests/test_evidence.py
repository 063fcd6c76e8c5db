"""The evidence: what is shipped is what was published, and the combination behaves as it says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from playground.catalog import load_catalog
from playground.evidence import Evidence, enough, load_evidence, read_rows, relative
from playground.pipeline import load_shipped
from playground.records import Candidate, EvidenceRow


def row(**changes: object) -> EvidenceRow:
    base = {
        "stage": "draft", "model": "gpt-4.1", "effort": "default", "benchmark": "b", "metric": "m", "value": 90.0, "unit": "pct",
        "n": 100, "grade": "A", "proxy_for": "x", "date": "2026", "source": "s",
    }  # fmt: skip
    return EvidenceRow(**(base | changes))  # type: ignore[arg-type]


def test_every_published_row_is_carried_with_its_value(shared: Path) -> None:
    with (shared / "evidence" / "stage_evidence.csv").open(encoding="utf-8", newline="") as file:
        published = [
            (r["stage"], r["model"].split("/", 1)[1], r["benchmark"], r["metric"], float(r["value"]), r["proxy_grade"])
            for r in csv.DictReader(file)
        ]
    assert [(r.stage, r.model, r.benchmark, r.metric, r.value, r.grade) for r in read_rows()] == published


def test_every_row_has_a_source_and_a_known_model() -> None:
    names = {m.name for m in load_catalog().models}
    for r in read_rows():
        assert r.source
        assert r.date
        assert r.model in names


def test_the_before_models_have_evidence_at_all_six_stages_and_at_their_own_effort() -> None:
    stages = load_shipped("support").stages
    covered = {(r.model, r.stage) for r in read_rows()}
    for stage in stages:
        assert all((stage.before, other.key) in covered for other in stages)
        assert enough(load_evidence().quality(stage.key, Candidate(load_catalog().by_name(stage.before))))


def test_elo_parity_counts_as_one_and_400_points_less_as_two_elevenths() -> None:
    assert relative(row(unit="elo", value=1500.0), 1500.0) == 1.0
    assert relative(row(unit="elo", value=1100.0), 1500.0) == pytest.approx(2 / 11)


def test_a_row_measured_at_high_effort_does_not_inform_a_short_answer() -> None:
    rows = [row(model=m, effort="high", value=v) for m, v in (("gpt-4.1", 90.0), ("gpt-5.4", 80.0), ("gpt-5.2", 70.0))]
    evidence = Evidence(rows, load_catalog())
    model = load_catalog().by_name("gpt-4.1")
    assert evidence.quality("draft", Candidate(model)).estimate is None
    assert evidence.quality("draft", Candidate(model, "high")).estimate is not None


def test_a_benchmark_with_two_models_says_nothing() -> None:
    evidence = Evidence([row(), row(model="gpt-5.4", value=80.0)], load_catalog())
    assert evidence.quality("draft", Candidate(load_catalog().by_name("gpt-4.1"))).estimate is None


def test_more_and_nearer_rows_narrow_the_interval_and_raise_the_worth() -> None:
    others = [row(model=m, benchmark=b, value=v) for b in "bc" for m, v in (("gpt-5.4", 80.0), ("gpt-5.2", 70.0))]
    model = Candidate(load_catalog().by_name("gpt-4.1"))
    one = Evidence([row(grade="C"), *others], load_catalog()).quality("draft", model)
    two = Evidence([row(), row(benchmark="c"), *others], load_catalog()).quality("draft", model)
    assert two.worth > one.worth
    assert two.high - two.low < one.high - one.low  # type: ignore[operator]
    assert not enough(one)
    assert enough(two)


def test_quality_stays_between_zero_and_one_and_its_interval_holds_it() -> None:
    evidence = load_evidence()
    for stage in load_shipped("support").stages:
        for candidate in load_catalog().candidates(evidence.efforts):
            q = evidence.quality(stage.key, candidate)
            if q.estimate is not None:
                assert 0 <= q.low <= q.estimate <= q.high <= 1  # type: ignore[operator]
                assert 0 < q.worth <= 20
