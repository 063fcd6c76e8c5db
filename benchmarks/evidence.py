"""The evidence model on results it has not seen: does it rank models, do its intervals hold what they say.

Two questions: the rank agreement within a benchmark, and the share of results inside the 80% interval.
Ten folds over cells. A cell is one benchmark, metric, model and effort; all its copies at several stages are held out together, so
that nothing is fitted on what it is judged on. Beside it, the plain average of a model's other cells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

import numpy as np
from _report import quick, report

from playground.ability import Abilities
from playground.benchmark_scale import Benchmark, benchmark
from playground.catalog import load_catalog
from playground.evidence import Z_80
from playground.evidence_file import shipped_rows
from playground.records import EvidenceRow

FOLDS, MIN_CELLS = 10, 5
Cell = tuple[str, str, str, str]


def cell(row: EvidenceRow) -> Cell:
    """What is held out as one."""
    return row.benchmark, row.metric, row.model, row.effort


def held_out(
    rows: Sequence[EvidenceRow], fold: dict[Cell, int]
) -> list[tuple[EvidenceRow, float, float, float, float]]:
    """For every row: what was observed, predicted, its standard deviation, and the plain average's prediction."""
    found = []
    for number in range(FOLDS):
        kept = [r for r in rows if fold[cell(r)] != number]
        judged = [r for r in rows if fold[cell(r)] == number]
        model = Abilities(kept, load_catalog())
        means, spreads = model.predict([model.point_of(r) for r in judged])
        average = plain_average(model, kept)
        for row, mean, sd in zip(judged, means, spreads, strict=True):
            deviation = float(np.sqrt(sd**2 + model.noise(row)))
            found.append((row, model.z(row), float(mean), deviation, average[row.model]))
    return found


def plain_average(model: Abilities, rows: Sequence[EvidenceRow]) -> defaultdict[str, float]:
    """A model's mean over its other cells, each on its benchmark's own scale; the middle where it has none."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        values[row.model].append(model.z(row))
    return defaultdict(float, {name: fmean(v) for name, v in values.items()})


def rank_agreement(pairs: dict[Benchmark, dict[Cell, tuple[float, float]]]) -> float:
    """Mean Spearman correlation over benchmarks of at least `MIN_CELLS` cells."""
    from scipy.stats import spearmanr

    groups = [list(cells.values()) for cells in pairs.values() if len(cells) >= MIN_CELLS]
    found = [spearmanr([a for a, _ in g], [b for _, b in g]).statistic for g in groups]
    return fmean(float(s) for s in found if not np.isnan(s))


def measure(seed: int) -> tuple[float, float, float]:
    """Spearman of the model and of the average, and the share of cells inside the 80% interval."""
    rows = shipped_rows()
    cells = list(dict.fromkeys(cell(r) for r in rows))
    order = np.random.default_rng(seed).permutation(len(cells))
    judged = held_out(rows, {cells[c]: n % FOLDS for n, c in enumerate(order)})
    ours: dict[Benchmark, dict[Cell, tuple[float, float]]] = defaultdict(dict)
    plain: dict[Benchmark, dict[Cell, tuple[float, float]]] = defaultdict(dict)
    for row, observed, predicted, _, average in judged:
        ours[benchmark(row)][cell(row)] = (observed, predicted)
        plain[benchmark(row)][cell(row)] = (observed, average)
    inside = fmean(abs(o - p) <= Z_80 * sd for _, o, p, sd, _ in judged)
    return rank_agreement(ours), rank_agreement(plain), inside


def main() -> None:
    """Print the figures."""
    seeds = range(2 if quick() else 10)
    spearman, baseline, coverage = (fmean(v) for v in zip(*(measure(s) for s in seeds), strict=True))
    report(
        "evidence",
        figures={
            "spearman": round(spearman, 4),
            "baseline_spearman": round(baseline, 4),
            "coverage_80": round(coverage, 4),
        },
        targets={"spearman": 0.60, "baseline_spearman": 0.50, "coverage_80": [0.75, 0.88]},
        conditions={
            "rows": len(shipped_rows()),
            "folds": FOLDS,
            "seeds": len(seeds),
            "fitted_on_what_it_is_judged_on": False,
        },
    )


if __name__ == "__main__":
    main()
