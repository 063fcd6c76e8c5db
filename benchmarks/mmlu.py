"""Two models over 57 subjects: which subjects go to the strong one first, told from 25 labelled questions each.

APGR and CPT80 as RouteLLM defines them (Ong et al. 2024, section 3): the area under the recovered gap in accuracy against the share
of questions sent to the strong model, and the share it takes to recover 80% of the gap. Judged on the questions not labelled.
"""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
from _report import SHARED, quick, report, skipped

from playground.accept import Array, fit

FILE = SHARED / "routing" / "routellm_mmlu.csv"
LABELS = 25
RECOVERED = 0.8


def table() -> list[Array]:
    """For each subject its questions, as rows of (weak right, strong right)."""
    subjects: dict[str, list[tuple[int, int]]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            subjects.setdefault(line["subject"], []).append((int(line["weak_correct"]), int(line["strong_correct"])))
    return [np.array(rows, float) for rows in subjects.values()]


def curve(gain: Array, subjects: list[Array]) -> tuple[float, float]:
    """APGR and CPT80 when subjects are sent to the strong model by falling gain."""
    weak, strong = (np.array([s[:, i].sum() for s in subjects]) for i in (0, 1))
    size, order = np.array([len(s) for s in subjects]), np.argsort(-gain, kind="stable")
    right = np.concatenate([[0.0], np.cumsum((strong - weak)[order])])
    sent = np.concatenate([[0.0], np.cumsum(size[order])]) / size.sum()
    recovered = right / right[-1]
    first = int(np.argmax(recovered >= RECOVERED))
    step = (RECOVERED - recovered[first - 1]) / (recovered[first] - recovered[first - 1])
    return float(np.trapezoid(recovered, sent)), float(sent[first - 1] + step * (sent[first] - sent[first - 1]))


def shrunk_gain(counts: Array) -> Array:
    """The simple rule beside it: each subject's counted gain, shrunk towards the mean by its sampling variance."""
    share = counts / LABELS
    gain, noise = share[:, 1] - share[:, 0], (share * (1 - share)).sum(axis=1).mean() / LABELS
    between = max(float(gain.var() - noise), 1e-4)
    return np.asarray(gain.mean() + (gain - gain.mean()) * between / (between + noise))


def split(rng: np.random.Generator, subjects: list[Array]) -> dict[str, tuple[float, float]]:
    """One draw of labels; each rule's figures on the rest."""
    shuffled = [s[rng.permutation(len(s))] for s in subjects]
    counts, rest = np.array([s[:LABELS].sum(axis=0) for s in shuffled]), [s[LABELS:] for s in shuffled]
    share = fit(counts, LABELS).share
    return {"ours": curve(share[:, 1] - share[:, 0], rest), "shrunk": curve(shrunk_gain(counts), rest)}


def main() -> None:
    """Print the figures."""
    if not FILE.exists():
        skipped("mmlu", f"{FILE} is not here")
        return
    subjects, rng = table(), np.random.default_rng(0)
    splits = 10 if quick() else 100
    runs = [split(rng, subjects) for _ in range(splits)]
    means: dict[str, Any] = {rule: np.mean([r[rule] for r in runs], axis=0).round(4).tolist() for rule in runs[0]}
    ceiling = curve(np.array([s[:, 1].mean() - s[:, 0].mean() for s in subjects]), subjects)
    report(
        "mmlu",
        figures={"apgr": means["ours"][0], "cpt80": means["ours"][1]},
        targets={"apgr": 0.642, "cpt80": 0.643},
        conditions={
            "splits": splits,
            "labels_a_subject": LABELS,
            "aim": {"apgr": 0.66, "cpt80": 0.63},
            "simple_shrunk_gain": means["shrunk"],
            "in_sample_ceiling": [round(x, 4) for x in ceiling],
        },
    )


if __name__ == "__main__":
    main()
