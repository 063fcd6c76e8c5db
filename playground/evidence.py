"""What public benchmarks say of a candidate at a stage, on one scale, with an interval and its worth.

The scale: the share of tickets at this stage on which a candidate's output is as good as the best-measured model's. A
percentage counts as its share of the best score on the same benchmark; an Elo as twice the expected win share against
the best (1 at parity). A row informs a candidate only at the row's own effort or a higher one: a score measured at
maximum effort may not be priced at a short answer. Rows are weighted by proxy grade (A direct, B near, C far) and shrunk
towards the stage's mean, so that a model seen once on an easy benchmark does not win by it.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from statistics import fmean, pstdev

from playground.catalog import Catalog, load_catalog
from playground.records import Candidate, Effort, EvidenceRow, Quality

FILE = Path(__file__).parent / "data" / "evidence.csv"
EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
GRADE_WEIGHT: Mapping[str, float] = {"A": 3.0, "B": 2.0, "C": 1.0}
PRIOR_WEIGHT = 1.0
"""Weight of the stage's mean in every estimate: as much as one far (C) row."""
TICKETS_PER_WEIGHT = 4.0
MAX_WORTH = 20.0
ENOUGH_WEIGHT = 2.0
"""Below this (one B row, or two C rows) an estimate is shown but does not let a candidate win."""
MIN_GROUP = 3
"""A benchmark with fewer models of like effort (below high, or high and above) says nothing about who is better."""
Z_80 = 1.2816
PAIRS_TO_PROVE = 200
"""Shadow pairs after which measured quality outweighs any benchmark."""


@dataclass(frozen=True, slots=True)
class _Scored:
    row: EvidenceRow
    level: int
    relative: float


class Evidence:
    """Quality per stage and candidate."""

    def __init__(self, rows: Iterable[EvidenceRow], catalog: Catalog) -> None:
        self.rows = tuple(rows)
        self._defaults = {m.name: m.default_effort for m in catalog.models}
        scored = self._score(self.rows)
        self._by_cell: dict[tuple[str, str], list[_Scored]] = defaultdict(list)
        by_stage: dict[str, list[float]] = defaultdict(list)
        for s in scored:
            self._by_cell[s.row.stage, s.row.model].append(s)
            by_stage[s.row.stage].append(s.relative)
        self._mean = {stage: fmean(values) for stage, values in by_stage.items()}
        self._spread = {stage: pstdev(values) for stage, values in by_stage.items()}
        self._known: dict[tuple[str, str], Quality] = {}

    @property
    def efforts(self) -> dict[str, set[Effort]]:
        """Model name to the efforts at which it was measured, its own default aside."""
        found: dict[str, set[Effort]] = defaultdict(set)
        for row in self.rows:
            if row.effort not in ("default", self._defaults.get(row.model)):
                found[row.model].add(row.effort)
        return dict(found)

    def quality(self, stage: str, candidate: Candidate) -> Quality:
        """What is known; an empty `Quality` where nothing is."""
        key = (stage, candidate.key)
        if key not in self._known:
            self._known[key] = self._combine(stage, candidate)
        return self._known[key]

    def _combine(self, stage: str, candidate: Candidate) -> Quality:
        level = self._level(candidate.model.name, candidate.effort)
        usable = [s for s in self._by_cell.get((stage, candidate.model.name), ()) if s.level <= level]
        if not usable:
            return Quality()
        weights = [GRADE_WEIGHT[s.row.grade] for s in usable]
        total = PRIOR_WEIGHT + sum(weights)
        mean = (
            PRIOR_WEIGHT * self._mean[stage] + sum(w * s.relative for w, s in zip(weights, usable, strict=True))
        ) / total
        half = Z_80 * self._spread[stage] / sqrt(total)
        worth = min(MAX_WORTH, TICKETS_PER_WEIGHT * sum(weights))
        return Quality(mean, max(0.0, mean - half), min(1.0, mean + half), worth, tuple(s.row for s in usable))

    def _level(self, model: str, effort: Effort) -> int:
        return EFFORTS.index(self._defaults.get(model, "none") if effort == "default" else effort)

    def _score(self, rows: Sequence[EvidenceRow]) -> list[_Scored]:
        groups: dict[tuple[str, str, str, bool], list[tuple[EvidenceRow, int]]] = defaultdict(list)
        for row in rows:
            level = self._level(row.model, row.effort)
            groups[row.stage, row.benchmark, row.metric, level >= EFFORTS.index("high")].append((row, level))
        return [s for group in groups.values() if len(group) >= MIN_GROUP for s in _relative_to_best(group)]


def _relative_to_best(group: Sequence[tuple[EvidenceRow, int]]) -> list[_Scored]:
    best = max(row.value for row, _ in group)
    return [_Scored(row, level, relative(row, best)) for row, level in group]


def relative(row: EvidenceRow, best: float) -> float:
    """A row's value as a share of the best: a ratio, or for Elo twice the expected win share (Elo 1978)."""
    if row.unit == "elo":
        return 2.0 / (1.0 + float(10.0 ** ((best - row.value) / 400.0)))
    return row.value / best


def enough(quality: Quality) -> bool:
    """Whether there is enough evidence for a candidate to win by it."""
    return quality.estimate is not None and quality.worth >= ENOUGH_WEIGHT * TICKETS_PER_WEIGHT


def pairs_needed(quality: Quality) -> int:
    """About how many shadow pairs would settle this candidate."""
    return max(0, round(PAIRS_TO_PROVE - quality.worth))


def read_rows(path: Path = FILE) -> tuple[EvidenceRow, ...]:
    """The evidence file's rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_row(line) for line in csv.DictReader(file))


def _row(line: dict[str, str]) -> EvidenceRow:
    text = {
        k: line[k] for k in ("stage", "model", "benchmark", "metric", "unit", "grade", "proxy_for", "date", "source")
    }
    effort: Effort = line["effort"]  # type: ignore[assignment]
    return EvidenceRow(**text, effort=effort, value=float(line["value"]), n=int(line["n"]) if line["n"] else None)


@cache
def load_evidence() -> Evidence:
    """The shipped evidence over the shipped catalogue."""
    return Evidence(read_rows(), load_catalog())
