"""The evidence: what is shipped is what was published, and what is made of it behaves as it says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.catalog import load_catalog
from playground.evidence import MAX_WORTH, MIN_WORTH, Evidence, interval, load_evidence, pairs_to_prove, updated
from playground.evidence_file import shipped_rows
from playground.paired import daily_pairs
from playground.pipeline import STAGE_KEYS, load_shipped
from playground.records import Candidate, EvidenceRow, Pairs, Quality

CATALOG = load_catalog()
NAMES = (
    "gpt-4.1",
    "gpt-5.4",
    "gpt-5.2",
    "claude-opus-5",
    "claude-sonnet-5",
    "gemini-3-flash-preview",
    "grok-4.5",
    "deepseek-v3.2",
)


def row(**changes: object) -> EvidenceRow:
    base = {
        "stage": "draft", "model": "gpt-4.1", "effort": "default", "benchmark": "b", "metric": "m", "value": 90.0, "unit": "pct",
        "n": 100, "grade": "A", "proxy_for": "x", "date": "2026", "source": "s",
    }  # fmt: skip
    return EvidenceRow(**(base | changes))  # type: ignore[arg-type]


def spread(benchmark: str = "b", **changes: object) -> list[EvidenceRow]:
    """A benchmark on which every model of `NAMES` was measured, from 50 to 85; `gpt-4.1` stands first."""
    return [row(model=m, benchmark=benchmark, value=50.0 + 5 * i, **changes) for i, m in enumerate(NAMES)]


def quality(rows: list[EvidenceRow], model: str = "gpt-4.1", effort: str = "default") -> Quality:
    return Evidence(rows, CATALOG).quality("draft", Candidate(CATALOG.by_name(model), effort))  # type: ignore[arg-type]


def test_every_published_row_is_carried_with_its_value(shared: Path) -> None:
    with (shared / "evidence" / "stage_evidence.csv").open(encoding="utf-8", newline="") as file:
        published = [
            (r["stage"], r["model"].split("/", 1)[1], r["benchmark"], r["metric"], float(r["value"]), r["proxy_grade"])
            for r in csv.DictReader(file)
        ]
    assert [(r.stage, r.model, r.benchmark, r.metric, r.value, r.grade) for r in shipped_rows()] == published


def test_every_row_has_a_source_and_a_known_model() -> None:
    names = {m.name for m in CATALOG.models}
    for r in shipped_rows():
        assert r.source
        assert r.date
        assert r.model in names


def test_the_before_models_have_evidence_at_all_six_stages() -> None:
    stages = load_shipped("support").stages
    covered = {(r.model, r.stage) for r in shipped_rows()}
    for stage in stages:
        assert all((stage.before, other.key) in covered for other in stages)
        known = load_evidence().quality(stage.key, Candidate(CATALOG.by_name(stage.before)))
        assert known.enough
        assert known.estimate >= stage.bar, "the bar is what the current model reaches, less the margin"  # type: ignore[operator]


@pytest.mark.parametrize("stage", STAGE_KEYS)
def test_quality_stays_between_zero_and_one_its_interval_holds_it_and_its_worth_is_capped(stage: str) -> None:
    evidence = load_evidence()
    for candidate in CATALOG.candidates(evidence.efforts):
        q = evidence.quality(stage, candidate)
        assert 0 <= q.low <= q.estimate <= q.high <= 1  # type: ignore[operator]
        assert 0 < q.worth <= MAX_WORTH
        assert q.enough == (q.worth >= MIN_WORTH)


@pytest.mark.parametrize("stage", STAGE_KEYS)
def test_the_best_measured_model_is_the_one_that_others_are_a_share_of(stage: str) -> None:
    evidence = load_evidence()
    name = evidence.best_measured(stage)
    own = [c for c in CATALOG.candidates(evidence.efforts) if c.model.name == name]
    assert max(evidence.quality(stage, c).estimate for c in own) == pytest.approx(1.0)  # type: ignore[type-var]


def test_a_row_measured_at_high_effort_does_not_inform_a_short_answer() -> None:
    rows = spread()
    low, high = quality(rows, effort="none"), quality(rows, effort="high")
    one_more = [*rows, row(effort="high", value=99.0, benchmark="c"), *spread("c")[1:]]
    without = [*rows, *spread("c")[1:]]
    assert quality(one_more, effort="high").rows == (*high.rows, one_more[len(rows)])
    assert quality(one_more, effort="none").rows == low.rows
    # The benchmark's scale moves with a new result on it; the model's own short answer must not.
    fixed = [*without, row(effort="high", value=72.0, benchmark="c")]
    moved = [*without, row(effort="high", value=95.0, benchmark="c")]
    assert quality(fixed, effort="none").rows == quality(moved, effort="none").rows
    assert quality(moved, effort="high").estimate > quality(fixed, effort="high").estimate  # type: ignore[operator]


def test_a_model_that_nothing_is_known_of_has_a_wide_interval_and_not_enough() -> None:
    unseen = quality([r for r in spread() if r.model != "gpt-4.1"])
    assert not unseen.enough
    assert unseen.high - unseen.low > 0.3  # type: ignore[operator]


def test_one_saturated_row_is_not_enough() -> None:
    rows = [r for r in spread() if r.model != "gpt-4.1"]
    seen = quality([*rows, row(benchmark="easy", value=99.0), *spread("easy")[1:]])
    assert not seen.enough
    assert seen.high - seen.low > 0.3  # type: ignore[operator]


def test_more_rows_are_worth_more_and_narrow_the_interval() -> None:
    one = quality(spread("a", grade="C"))
    many = quality([*spread("a"), *spread("b"), *spread("c"), *spread("d")])
    assert many.worth > one.worth
    assert many.high - many.low < one.high - one.low  # type: ignore[operator]


def test_a_better_result_gives_a_better_estimate() -> None:
    rows = spread()[1:]
    worse, better = (quality([*rows, row(value=v)]) for v in (55.0, 80.0))
    assert better.estimate > worse.estimate  # type: ignore[operator]


def test_two_rows_that_contradict_each_other_land_between_and_break_nothing() -> None:
    rows = spread()[1:]
    worse, better, both = (
        quality([*rows, *(row(value=v) for v in values)]) for values in ((55.0,), (80.0,), (55.0, 80.0))
    )
    assert worse.estimate < both.estimate < better.estimate  # type: ignore[operator]


def test_no_rows_at_all_is_an_empty_quality() -> None:
    assert quality([]) == Quality()


def test_wilsons_interval_against_a_printed_one() -> None:
    # Brown, Cai and DasGupta 2001: 18 of 20 at 95% is 0.699 to 0.972; at 80% (z = 1.2816) by the same formula 0.7816 to 0.9577.
    low, high = interval(0.9, 20)
    assert (low, high) == (pytest.approx(0.7816, abs=2e-4), pytest.approx(0.9577, abs=2e-4))


@given(share=st.floats(0, 1), accepted=st.integers(0, 400), more=st.integers(0, 400))
def test_pairs_move_the_estimate_as_a_beta_does_and_two_hundred_dominate(
    share: float, accepted: int, more: int
) -> None:
    pairs = Pairs(accepted, accepted + more)
    if not pairs.pairs:
        return
    after = updated(Quality(share, 0.0, 1.0, MAX_WORTH, (), True), pairs)
    expected = (share * MAX_WORTH + accepted) / (MAX_WORTH + pairs.pairs)
    assert after.estimate == pytest.approx(expected)
    assert after.worth == MAX_WORTH + pairs.pairs
    if pairs.pairs >= 200:
        assert abs(after.estimate - accepted / pairs.pairs) <= MAX_WORTH / (MAX_WORTH + 200)  # type: ignore[operator]


def test_pairs_alone_are_enough_from_thirty_on() -> None:
    assert not updated(Quality(), Pairs(29, 29)).enough
    assert updated(Quality(), Pairs(30, 30)).enough


def test_pairs_for_a_verdict_are_those_of_the_planner() -> None:
    # (1.96 + 0.8416)^2 x 0.10 / 0.02^2 = 1,963 at one look, 2.3 times that under looking
    assert pairs_to_prove(0.02) == daily_pairs(0.02, 0.10) == 4515
    assert pairs_to_prove(0.03) == daily_pairs(0.03, 0.10) == 2008
