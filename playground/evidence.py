"""What is known of a candidate at a stage, on one scale, with an interval and its worth.

The scale: the share of tickets at this stage on which a candidate's output is accepted where the best-measured model's is. It
is what the candidate would score, as a share of the best-measured model's score, on the benchmarks that stand for the stage:
near ones count more than far ones. The abilities behind it come from every public result at once (`ability`). How sure it is
becomes a number of tickets, at most `MAX_WORTH`, and the interval is what that many tickets would give (Wilson 1927). Shadow
pairs add to both (Beta-binomial; Gelman et al. 2013, Bayesian Data Analysis, section 2.4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import sqrt

import numpy as np

from playground.ability import Abilities, Point
from playground.accept import Belief, fit
from playground.benchmark_scale import EFFORTS, Benchmark, Scale, benchmark, is_saturated
from playground.catalog import Catalog, load_catalog
from playground.evidence_file import shipped_rows
from playground.paired import daily_pairs
from playground.records import Candidate, Effort, EvidenceRow, Pairs, Quality

GRADE_WEIGHT: Mapping[str, float] = {"A": 3.0, "B": 2.0, "C": 1.0}
MAX_WORTH = 20.0
MIN_WORTH = 4.0
"""Evidence worth fewer tickets says too little to choose by."""
UNMEASURED_WORTH = 2.0
"""The most that kin can be worth for a model that no test has told apart from others."""
MIN_RESULTS = 5
"""A benchmark with fewer results sets no scale."""
MIN_PAIRS = 30
"""Shadow pairs from which a candidate may be chosen by them alone."""
PAIRS_TO_OUTWEIGH = 200
"""Shadow pairs after which measured quality outweighs any benchmark."""
DISCORDANCE = 0.10
"""Share of tickets on which two good models differ in outcome: an assumption until pairs are counted."""
"""One-sided 2.5% of deciding wrongly, 80% of deciding at all."""
Z_80 = 1.2816
_EDGE = 0.005


@dataclass(frozen=True, slots=True)
class _Best:
    """The best-measured model of a stage, and the scales of the benchmarks that stand for the stage, with their weights."""

    model: str
    z: float
    scales: tuple[tuple[Scale, float], ...]

    def quality(self, z: float) -> float:
        """A model's expected share of the best one's score."""
        total = sum(weight for _, weight in self.scales)
        return sum(weight * scale.relative(z, self.z) for scale, weight in self.scales) / total


class Evidence:
    """Quality per stage and candidate, worked out once. `pairs` are keyed by stage and candidate key."""

    def __init__(
        self, rows: Iterable[EvidenceRow], catalog: Catalog, pairs: Mapping[tuple[str, str], Pairs] | None = None
    ) -> None:
        self.rows, self.pairs = tuple(rows), dict(pairs or {})
        self._catalog = catalog
        self._defaults = {m.name: m.default_effort for m in catalog.models}
        self._abilities = Abilities(self.rows, catalog) if self.rows else None
        self._rows_of: dict[str, list[EvidenceRow]] = defaultdict(list)
        for row in self.rows:
            self._rows_of[row.model].append(row)
        self._best = self._find_best()
        self._known: dict[tuple[str, str], Quality] = {}

    @property
    def efforts(self) -> dict[str, set[Effort]]:
        """Model name to the efforts at which it was measured, its own default aside."""
        found: dict[str, set[Effort]] = defaultdict(set)
        for row in self.rows:
            if row.effort not in ("default", self._defaults.get(row.model)):
                found[row.model].add(row.effort)
        return dict(found)

    def best_measured(self, stage: str) -> str:
        """The model that the scale of a stage is a share of; empty where none was measured there."""
        return self._best[stage].model if stage in self._best else ""

    def quality(self, stage: str, candidate: Candidate) -> Quality:
        """What is known; an empty `Quality` where nothing is."""
        key = (stage, candidate.key)
        if key not in self._known:
            self._fill(stage, (*self._catalog.candidates(self.efforts), candidate))
        return self._known[key]

    def sure(self, stage: str, candidate: Candidate, bar: float) -> float:
        """How sure it is that a candidate with shadow pairs clears a bar, from all cells with pairs together (`accept`)."""
        stages, keys, belief = self._measured
        return float(belief.sure(bar)[stages.index(stage), keys.index(candidate.key)])

    @cached_property
    def _measured(self) -> tuple[list[str], list[str], Belief]:
        stages, keys = (sorted({cell[i] for cell in self.pairs}) for i in (0, 1))
        known = {cell: self._cell(*cell) for cell in self.pairs}
        table = [[known.get((s, k), Quality()) for k in keys] for s in stages]
        worth = np.array([[q.worth for q in row] for row in table])
        share = np.array([[q.estimate or 0.0 for q in row] for row in table])
        return stages, keys, fit(worth * share, worth)

    def _cell(self, stage: str, key: str) -> Quality:
        name, _, effort = key.partition(" @")
        return self.quality(stage, Candidate(self._catalog.by_name(name), effort or "default"))  # type: ignore[arg-type]

    def _fill(self, stage: str, candidates: Sequence[Candidate]) -> None:
        """Work out a stage in one go: predicting for a hundred candidates costs no more than for one."""
        best = self._best.get(stage)
        if best is None or self._abilities is None:
            self._known |= {(stage, c.key): self._with_pairs(stage, c, Quality()) for c in candidates}
            return
        points = [Point(c.model.name, stage, self._level(c)) for c in candidates]
        means, spreads = self._abilities.predict(points)
        for c, z, sd in zip(candidates, means, spreads, strict=True):
            known = self._prior(stage, c, best, float(z), float(sd))
            self._known[stage, c.key] = self._with_pairs(stage, c, known)

    def _prior(self, stage: str, candidate: Candidate, best: _Best, z: float, sd: float) -> Quality:
        low, estimate, high = (best.quality(z + side * Z_80 * sd) for side in (-1, 0, 1))
        usable = self._usable(candidate)
        measured = any(not is_saturated(r) for r in usable)
        most = MAX_WORTH if measured else UNMEASURED_WORTH
        worth = min(most, _worth(estimate, (high - low) / (2 * Z_80)))
        here = tuple(r for r in usable if r.stage == stage)
        return Quality(estimate, *interval(estimate, worth), worth, here, worth >= MIN_WORTH)

    def _with_pairs(self, stage: str, candidate: Candidate, prior: Quality) -> Quality:
        pairs = self.pairs.get((stage, candidate.key))
        return prior if pairs is None else updated(prior, pairs)

    def _usable(self, candidate: Candidate) -> list[EvidenceRow]:
        """A model's own results at the candidate's effort or below."""
        level = self._level(candidate)
        own = self._rows_of.get(candidate.model.name, ())
        return [r for r in own if self._row_level(r) <= level]

    def _level(self, candidate: Candidate) -> int:
        effort = candidate.effort
        return EFFORTS.index(candidate.model.default_effort if effort == "default" else effort)

    def _row_level(self, row: EvidenceRow) -> int:
        effort = self._defaults.get(row.model, "none") if row.effort == "default" else row.effort
        return EFFORTS.index(effort)

    def _find_best(self) -> dict[str, _Best]:
        by_stage: dict[str, list[EvidenceRow]] = defaultdict(list)
        for row in self.rows:
            by_stage[row.stage].append(row)
        return {stage: self._best_of(stage, rows) for stage, rows in by_stage.items()}

    def _best_of(self, stage: str, rows: Sequence[EvidenceRow]) -> _Best:
        assert self._abilities is not None
        telling = _telling(rows)
        points = list(dict.fromkeys(Point(r.model, stage, self._row_level(r)) for r in telling))
        means, _ = self._abilities.predict(points)
        top = int(means.argmax())
        weight = {benchmark(r): GRADE_WEIGHT[r.grade] for r in telling}
        scales = tuple((self._abilities.scales[b], w) for b, w in weight.items())
        return _Best(points[top].model, float(means[top]), scales)


def _telling(rows: Sequence[EvidenceRow]) -> Sequence[EvidenceRow]:
    """Results of benchmarks that tell models apart: enough results, at most half of them saturated. All, if none does."""
    by_benchmark: dict[Benchmark, list[EvidenceRow]] = defaultdict(list)
    for row in rows:
        by_benchmark[benchmark(row)].append(row)
    kept = [g for g in by_benchmark.values() if len(g) >= MIN_RESULTS and 2 * sum(map(is_saturated, g)) <= len(g)]
    return [row for group in kept for row in group] or rows


def _worth(estimate: float, sd: float) -> float:
    """How many tickets a Beta of this mean and standard deviation stands for."""
    share = min(max(estimate, _EDGE), 1 - _EDGE)
    return max(0.5, share * (1 - share) / max(sd, 1e-6) ** 2 - 1)


def interval(share: float, tickets: float) -> tuple[float, float]:
    """The 80% interval that a share seen on so many tickets has (Wilson 1927, score interval)."""
    z2 = Z_80**2
    centre = (share + z2 / (2 * tickets)) / (1 + z2 / tickets)
    half = Z_80 * sqrt(share * (1 - share) / tickets + z2 / (4 * tickets**2)) / (1 + z2 / tickets)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def updated(prior: Quality, pairs: Pairs) -> Quality:
    """The quality after shadow pairs: a Beta prior of the benchmarks' worth, updated by what was counted.

    With nothing known before, the prior is Jeffreys' half success and half failure.
    """
    known, weight = (prior.estimate, prior.worth) if prior.estimate is not None and prior.worth else (0.5, 1.0)
    worth = weight + pairs.pairs
    estimate = (known * weight + pairs.accepted) / worth
    low, high = interval(estimate, worth)
    enough = prior.enough or pairs.pairs >= MIN_PAIRS
    return replace(prior, estimate=estimate, low=low, high=high, worth=worth, enough=enough, pairs=pairs.pairs)


def pairs_needed(quality: Quality) -> int:
    """About how many shadow pairs would say more of this candidate than benchmarks do."""
    return max(0, round(PAIRS_TO_OUTWEIGH - quality.worth))


def pairs_to_prove(margin: float) -> int:
    """About how many pairs a verdict at a margin takes, looked at every day, where there is no true difference."""
    return daily_pairs(max(margin, 0.001), DISCORDANCE)


@lru_cache(maxsize=8)
def evidence_for(
    catalog: Catalog,
    own_rows: tuple[EvidenceRow, ...] = (),
    pairs: tuple[tuple[tuple[str, str], Pairs], ...] = (),
) -> Evidence:
    """The shipped results with the user's own, over a catalogue; worked out once for each."""
    return Evidence((*shipped_rows(), *own_rows), catalog, dict(pairs))


def load_evidence() -> Evidence:
    """The shipped evidence over the shipped catalogue."""
    return evidence_for(load_catalog())
