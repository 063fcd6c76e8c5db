"""Second opinions: who is drawn, what counts as disagreement, and that a rise is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from playground.errors import BadInput
from playground.logs import LogRead
from playground.pairs import Pair
from playground.pipeline import load_shipped
from playground.second_opinion import Sample, alarm_of, disagrees, drawn, path_of, read_samples, share_of, tier_above
from tests.test_log_summary import batch

FLOW = load_shipped("support")


def test_the_dissatisfied_are_drawn_more_often_and_the_order_is_that_of_their_days() -> None:
    n = 20_000
    log = batch([1] * n, days=[739_000 + i % 28 for i in range(n)])
    log.satisfaction[:] = np.arange(n) % 2
    rows, probability = drawn(log, 0.1)
    assert len(rows) == pytest.approx(n * 0.1, rel=0.1)
    assert (np.diff(log.days[rows]) >= 0).all()
    unhappy = (log.satisfaction[rows] == 0).mean()
    assert unhappy > 0.6
    assert set(np.round(probability, 6)) == set(np.round([probability.min(), probability.max()], 6))


def test_the_second_opinion_comes_from_the_next_tier_up() -> None:
    cheap, top = FLOW.stage("intent"), FLOW.stage("draft")
    assert tier_above(FLOW, cheap) == FLOW.tiers["mid"]
    assert tier_above(FLOW, top) == FLOW.tiers["frontier"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [("judge", 1.0, True), ("judge", -1.0, False), ("judge", 0.0, False), ("label agreement", -1.0, True),
     ("label agreement", 0.0, False), ("rank agreement", -0.2, False), ("accuracy", 1.0, True), ("accuracy", -1.0, False)],
)  # fmt: skip
def test_disagreement_is_what_speaks_against_the_served_answer(kind: str, value: float, expected: bool) -> None:
    assert disagrees(Pair("t", value, kind=kind)) is expected


def samples(rates: list[tuple[int, float]], seed: int = 1) -> list[Sample]:
    rng = np.random.default_rng(seed)
    said = [bool(rng.random() < rate) for n, rate in rates for _ in range(n)]
    return [Sample(str(i), float(rng.choice([0.01, 0.04])), d, f"day {i}") for i, d in enumerate(said)]


def test_a_rise_is_told_with_its_beginning_and_a_steady_rate_is_not() -> None:
    assert alarm_of(samples([(1_500, 0.05)]), 0.05) is None
    alarm = alarm_of(samples([(1_000, 0.05), (1_500, 0.15)]), 0.05)
    assert alarm is not None
    assert 850 <= alarm.since <= 1_250
    assert 0.08 < alarm.disagreement < 0.35
    assert alarm_of([], 0.05) is None


def test_the_path_crosses_where_the_alarm_is() -> None:
    found = samples([(1_000, 0.05), (1_500, 0.15)])
    alarm = alarm_of(found, 0.05)
    assert alarm is not None
    path = path_of(found, 0.05)
    assert path[alarm.at] >= 4 > path[: alarm.at].max()


def test_the_share_is_weighed_back() -> None:
    assert share_of([Sample("a", 0.01, True), Sample("b", 0.04, False)]) == pytest.approx(100 / 125)
    assert share_of([]) == 0.0


def test_samples_are_read_and_bad_rows_named(tmp_path: Path) -> None:
    path = tmp_path / "seen.csv"
    path.write_text("ticket,created_at,probability,disagreed\nt1,2026-10-01,0.02,yes\nt2,,0,no\nt3,,0.5,perhaps\n")
    read = LogRead()
    assert list(read_samples(path, read)) == [Sample("t1", 0.02, True, "2026-10-01")]
    assert [p.line for p in read.problems] == [3, 4]
    path.write_text("a\n1\n")
    with pytest.raises(BadInput, match="needs the columns"):
        list(read_samples(path))
