"""How able each model is at each stage, from every public result at once: one small Gaussian process.

The covariance of two results adds up what they share: vendor, model, stage, effort, benchmark family, and traits (price,
generation, effort, whether the model thinks). A model seen on few or easy benchmarks is pulled towards its kin, and its
interval stays wide. The sizes of the parts are round numbers, set once and not fitted; `benchmarks/evidence.py` judges them on
held-out results. Rasmussen and Williams 2006, equations 2.25 and 2.26; leaving rows out, section 5.4.2.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from playground.benchmark_scale import (
    EFFORTS,
    MAX_SAMPLING_VARIANCE,
    Scale,
    benchmark,
    natural,
    sampling_variance,
    scales,
)
from playground.catalog import Catalog
from playground.records import Effort, EvidenceRow, Model

Array = NDArray[np.float64]

GRADE_NOISE: Mapping[str, float] = {"A": 0.15, "B": 0.24, "C": 0.36}
"""Variance of a result around the ability it stands for: the further the proxy, the more."""
BENCHMARK_OFFSET = 0.5
"""Variance of a benchmark's mean: which models were measured on it decides how hard it looks."""
VENDOR, MODEL, TRAITS, LINEAR = 0.10, 0.20, 0.30, 0.05
VENDOR_STAGE, MODEL_STAGE, MODEL_EFFORT, MODEL_FAMILY, TRAITS_STAGE = 0.05, 0.10, 0.10, 0.10, 0.10
_SNAPSHOT = re.compile(r"\d{6,}|\d+b|25\d\d|26\d\d")
_VERSION = re.compile(r"\d+(?:[.-]\d+)?")
_UNSCALED = Scale(0.0, 1.0, is_elo=False)


@dataclass(frozen=True, slots=True)
class Point:
    """A place where ability is measured, or asked for; `family` is the benchmark's, empty when asked for."""

    model: str
    stage: str
    level: int
    family: str = ""


class Abilities:
    """Posterior of ability given results, in spreads of a benchmark. Needs at least one result."""

    def __init__(self, rows: Sequence[EvidenceRow], catalog: Catalog) -> None:
        self.rows = tuple(rows)
        self._models = {m.name: m for m in catalog.models}
        self._traits = _traits(catalog)
        self.scales = scales(self.rows)
        self.points = tuple(self.point_of(r) for r in self.rows)
        self._z = np.array([self.z(r) for r in self.rows])
        self._own: dict[str, list[int]] = defaultdict(list)
        for number, point in enumerate(self.points):
            self._own[point.model].append(number)

    def level(self, model: str, effort: Effort) -> int:
        """Effort as a number, from 0 for `none` to 6 for `max`; `default` is what the model does by itself."""
        known = self._models.get(model)
        return EFFORTS.index((known.default_effort if known else "none") if effort == "default" else effort)

    def point_of(self, row: EvidenceRow) -> Point:
        """Where a result was measured."""
        return Point(row.model, row.stage, self.level(row.model, row.effort), row.benchmark.split("_")[0])

    def z(self, row: EvidenceRow) -> float:
        """A result on its benchmark's own scale."""
        scale = self.scales.get(benchmark(row), _UNSCALED)
        return (natural(row) - scale.mean) / scale.spread

    def noise(self, row: EvidenceRow) -> float:
        """Variance of a result around its ability: how far the proxy is, and on how few tasks it was measured."""
        spread = self.scales.get(benchmark(row), _UNSCALED).spread
        return GRADE_NOISE[row.grade] + min(MAX_SAMPLING_VARIANCE, sampling_variance(row) / spread**2)

    def predict(self, points: Sequence[Point]) -> tuple[Array, Array]:
        """Mean and standard deviation of ability at some points.

        A result informs its own model only at its effort or above: what took maximum effort may not be sold as a short answer.
        """
        cross = self._covariance(points, self.points)
        gain = cross @ self._inverse
        mean, variance = gain @ self._z, self._prior_variance(points) - np.einsum("ij,ij->i", gain, cross)
        for i, point in enumerate(points):
            if out := self._above(point):
                lost, spread = self._without(gain[i], out)
                mean[i] -= lost
                variance[i] += spread
        return mean, np.sqrt(np.maximum(variance, 1e-9))

    def _above(self, point: Point) -> list[int]:
        return [n for n in self._own.get(point.model, ()) if self.points[n].level > point.level]

    def _without(self, gain: Array, out: list[int]) -> tuple[float, float]:
        """What a mean loses and a variance wins when some rows are left out (Schur complement on the inverse)."""
        block = np.linalg.solve(self._inverse[np.ix_(out, out)], gain[out])
        return float(block @ self._weights[out]), float(block @ gain[out])

    @cached_property
    def _inverse(self) -> Array:
        names = [benchmark(r) for r in self.rows]
        noise = np.diag([self.noise(r) for r in self.rows])
        whole = self._covariance(self.points, self.points) + BENCHMARK_OFFSET * _same(names, names) + noise
        return np.asarray(np.linalg.inv(whole))

    @cached_property
    def _weights(self) -> Array:
        return np.asarray(self._inverse @ self._z)

    def _prior_variance(self, points: Sequence[Point]) -> Array:
        vectors = self._vectors(points)
        shared = VENDOR + MODEL + TRAITS + VENDOR_STAGE + MODEL_STAGE + TRAITS_STAGE + MODEL_EFFORT + MODEL_FAMILY
        return np.asarray(shared + LINEAR * np.einsum("ij,ij->i", vectors, vectors))

    def _covariance(self, left: Sequence[Point], right: Sequence[Point]) -> Array:
        def same(name: str) -> Array:
            return _same([getattr(p, name) for p in left], [getattr(p, name) for p in right])

        a, b = self._vectors(left), self._vectors(right)
        near = np.exp(-0.5 * ((a[:, None, :3] - b[None, :, :3]) ** 2).sum(axis=2))
        vendor = _same([self._vendor(p.model) for p in left], [self._vendor(p.model) for p in right])
        model, stage = same("model"), same("stage")
        shared = VENDOR * vendor + MODEL * model + TRAITS * near + LINEAR * (a @ b.T)
        by_stage = stage * (VENDOR_STAGE * vendor + MODEL_STAGE * model + TRAITS_STAGE * near)
        return np.asarray(shared + by_stage + model * (MODEL_EFFORT * same("level") + MODEL_FAMILY * same("family")))

    def _vendor(self, model: str) -> str:
        return self._models[model].provider if model in self._models else model

    def _vectors(self, points: Sequence[Point]) -> Array:
        found = [(self._traits.get(p.model, (0.0, 0.0, 0.0)), p.level) for p in points]
        return np.array([(price, generation, level / 3, thinks) for (price, generation, thinks), level in found])


def _same(left: Sequence[object], right: Sequence[object]) -> Array:
    codes: dict[object, int] = {}
    a = np.array([codes.setdefault(x, len(codes)) for x in left])
    b = np.array([codes.setdefault(x, len(codes)) for x in right])
    return np.asarray(a[:, None] == b[None, :], dtype=np.float64)


def _traits(catalog: Catalog) -> dict[str, tuple[float, float, float]]:
    """Standardised log price, generation within the vendor, and whether the model thinks by itself, by model name."""
    logs = {m.name: log(float(m.price.rates.output_usd_per_mtok)) for m in catalog.models if _priced(m)}  # type: ignore[union-attr, arg-type]
    mean, spread = (fmean(logs.values()), stdev(logs.values()) or 1.0) if len(logs) > 1 else (0.0, 1.0)
    generation = _generations(catalog.models)
    return {
        m.name: ((logs.get(m.name, mean) - mean) / spread, generation[m.name], float(m.default_effort != "none"))
        for m in catalog.models
    }


def _priced(model: Model) -> bool:
    return model.price is not None and bool(model.price.rates.output_usd_per_mtok)


def _generations(models: Sequence[Model]) -> dict[str, float]:
    versions = {m.name: _version(m.name) for m in models}
    by_vendor: dict[str, list[float]] = defaultdict(list)
    for m in models:
        if (v := versions[m.name]) is not None:
            by_vendor[m.provider].append(v)
    return {m.name: _standard(versions[m.name], by_vendor[m.provider]) for m in models}


def _version(name: str) -> float | None:
    found = _VERSION.search(_SNAPSHOT.sub("", name))
    return float(found.group().replace("-", ".")) if found else None


def _standard(value: float | None, among: Sequence[float]) -> float:
    if value is None or len(among) < 2 or stdev(among) == 0:
        return 0.0
    return (value - fmean(among)) / stdev(among)
