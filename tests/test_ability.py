"""The evidence model against a plain conditional Gaussian, and against held-out results."""

from __future__ import annotations

import numpy as np
import pytest

from playground.ability import BENCHMARK_OFFSET, Abilities, Point, _same
from playground.benchmark_scale import Scale, benchmark, natural, sampling_variance, scales
from playground.catalog import load_catalog
from playground.evidence_file import shipped_rows
from tests.test_evidence import row

CATALOG = load_catalog()
ROWS = shipped_rows()[::3]


def conditioned(model: Abilities, points: list[Point], keep: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation by the textbook formula on the kept rows only (Rasmussen and Williams 2006, eq. 2.23 and 2.24)."""
    rows = [model.rows[i] for i in keep]
    kept = [model.points[i] for i in keep]
    names = [benchmark(r) for r in rows]
    noisy = (
        model._covariance(kept, kept) + BENCHMARK_OFFSET * _same(names, names) + np.diag([model.noise(r) for r in rows])
    )
    cross = model._covariance(points, kept)
    mean = cross @ np.linalg.solve(noisy, [model.z(r) for r in rows])
    variance = np.diag(model._covariance(points, points)) - np.einsum(
        "ij,ji->i", cross, np.linalg.solve(noisy, cross.T)
    )
    return mean, np.sqrt(variance)


@pytest.mark.parametrize("level", [0, 3, 6])
def test_the_prediction_is_the_conditional_gaussian_without_the_models_higher_efforts(level: int) -> None:
    model = Abilities(ROWS, CATALOG)
    for name in ("gpt-5.4", "claude-opus-4-5", "gemini-3-flash-preview"):
        point = Point(name, "draft", level)
        keep = [i for i, p in enumerate(model.points) if p.model != name or p.level <= level]
        mean, deviation = conditioned(model, [point], keep)
        found, spread = model.predict([point])
        assert found == pytest.approx(mean, abs=1e-8)
        assert spread == pytest.approx(deviation, abs=1e-8)


def test_many_points_at_once_are_the_same_as_one_by_one() -> None:
    model = Abilities(ROWS, CATALOG)
    points = [Point(m.name, s, 2) for m in CATALOG.models[:10] for s in ("draft", "check")]
    together, _ = model.predict(points)
    assert together == pytest.approx([float(model.predict([p])[0][0]) for p in points])


def test_a_point_in_log_odds_and_elo_in_hundreds() -> None:
    assert natural(row(value=50.0)) == 0.0
    assert natural(row(value=0.75, unit="0-1")) == pytest.approx(1.0986122887)
    assert natural(row(value=1500.0, unit="elo")) == 15.0
    assert sampling_variance(row(value=50.0, n=100)) == pytest.approx(0.04)
    assert sampling_variance(row(n=None)) == 0.0


def test_elo_parity_counts_as_one_and_400_points_less_as_two_elevenths() -> None:
    scale = Scale(15.0, 1.0, is_elo=True)
    assert scale.relative(0.0, 0.0) == 1.0
    assert scale.relative(-4.0, 0.0) == pytest.approx(2 / 11)


def test_a_share_is_a_ratio_to_the_best_and_never_above_one() -> None:
    scale = Scale(0.0, 1.0, is_elo=False)
    assert scale.relative(0.0, 1.0986122887) == pytest.approx(0.5 / 0.75)
    assert scale.relative(2.0, 1.0) == 1.0


def test_a_benchmark_where_all_are_alike_has_a_scale() -> None:
    assert scales([row(), row(model="gpt-5.4")])["b", "m"].spread > 0
