"""The accept rule on a real outcome table: how often it accepts a model below the bar, and what its choices cost.

dcrouter: three clusters of questions as stages, nine models, 50 questions drawn for each cluster; the bar is two points under the
cluster's best model. Where nothing is accepted, the model with the best mean on the drawn questions answers, under either rule.
Only one model is both cheaper than that and truly above a bar, by less than half a standard error of 50 labels. So a Wilson rule
at 99% is printed too, which errs as seldom as allowed, and the same comparison on simulated tables of 12 stages and 18 models.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any

import numpy as np
from _report import SHARED, quick, report, skipped

from playground.accept import WRONG_SHARE, Array, accept

FILE = SHARED / "routing" / "dcrouter_scores.csv"
LABELS, MARGIN = 50, 0.02
RULES = ("ours", "wilson", "wilson_99", "mean")
USD_PER_MTOK = {
    "llama3-chatqa-1.5-8b": 0.20,
    "qwen2.5-7b-instruct": 0.20,
    "llama3-chatqa-1.5-70b": 0.90,
    "llama-3.1-nemotron-51b-instruct": 0.90,
    "mistral-7b-instruct-v0.3": 0.20,
    "gemma-2-9b-it": 0.20,
    "llama-3.1-8b-instruct": 0.20,
    "codegemma-7b": 0.20,
    "llama-3.3-nemotron-super-49b-v1": 0.25,
}
"""List prices carried in litellm's map. By size where no host lists the model (fireworks-ai-4.1b-to-16b, -above-16b; in and out
alike); the last one as nebius lists it, 0.10 in and 0.40 out, halfway."""
Z_95, Z_99 = 1.645, 2.326


def table() -> tuple[list[str], list[Array]]:
    """Model names, and for each cluster its questions' scores."""
    with FILE.open(encoding="utf-8", newline="") as file:
        head, *lines = csv.reader(file)
    numbers = np.array([[float(x) for x in line[1:]] for line in lines])
    return head[2:], [numbers[numbers[:, 0] == c, 1:] for c in np.unique(numbers[:, 0])]


def wilson_lower(share: Array, n: int, z: float = Z_95) -> Array:
    """Lower end of Wilson's interval, one-sided; 95% by default."""
    z2 = z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    return np.asarray(centre - z * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n))


def cheapest(allowed: Array, costs: Array) -> tuple[int, ...]:
    """The cheapest allowed column of each row, or -1."""
    priced = np.where(allowed, costs, np.inf)
    return tuple(int(row.argmin()) if np.isfinite(row.min()) else -1 for row in priced)


def choices(k: Array, costs: Array, bars: Array) -> dict[str, tuple[int, ...]]:
    """Each rule's choices for one table of counts; -1 is replaced by the fallback only when costs are counted."""
    return {
        "ours": accept(k, LABELS, costs, bars).chosen,
        "wilson": cheapest(wilson_lower(k / LABELS, LABELS) >= bars[:, None], costs),
        "wilson_99": cheapest(wilson_lower(k / LABELS, LABELS, Z_99) >= bars[:, None], costs),
        "mean": cheapest(k / LABELS >= bars[:, None], costs),
        "fallback": (int(k.sum(axis=0).argmax()),) * len(k),
    }


@dataclass
class Tally:
    """What a rule accepted, how often wrongly, and what it paid."""

    accepted: int = 0
    wrong: int = 0
    paid: float = 0.0
    stages: int = 0

    def add(self, chosen: tuple[int, ...], fallback: tuple[int, ...], truth: Array, costs: Array, bars: Array) -> None:
        """Count one table."""
        for stage, column in enumerate(chosen):
            self.accepted += column >= 0
            self.wrong += column >= 0 and bool(truth[stage, column] < bars[stage])
            self.paid += float(costs[column if column >= 0 else fallback[stage]])
            self.stages += 1

    def figures(self) -> dict[str, float]:
        """The shares and the mean."""
        wrong, paid = self.wrong / max(self.accepted, 1), self.paid / self.stages
        return {"accepted": self.accepted, "wrong_share": round(wrong, 4), "mean_cost": round(paid, 4)}


def simulated(rng: np.random.Generator, tables: int) -> dict[str, Any]:
    """The same rules on tables of 12 stages and 18 models, bar 0.85: dearer models are better, cells stray from that."""
    tallies = {rule: Tally() for rule in RULES}
    for _ in range(tables):
        size = np.linspace(-1.6, 1.6, 18)
        costs = np.exp(np.log(0.7) + 1.2 * size + rng.normal(0, 0.4, 18))
        odds = (1.6 + 0.55 * size + rng.normal(0, 0.5, 18))[None] + rng.normal(0.2, 0.9, 12)[:, None]
        truth, bars = 1 / (1 + np.exp(-(odds + rng.normal(0, 0.5, (12, 18))))), np.full(12, 0.85)
        found = choices(rng.binomial(LABELS, truth).astype(float), costs, bars)
        for rule, tally in tallies.items():
            tally.add(found[rule], found["fallback"], truth, costs, bars)
    return {rule: tally.figures() for rule, tally in tallies.items()}


def measure(splits: int) -> dict[str, Any]:
    """Shares and mean costs over many draws."""
    names, clusters = table()
    costs = np.array([USD_PER_MTOK[name] for name in names])
    truth = np.array([c.mean(axis=0) for c in clusters])
    bars = truth.max(axis=1) - MARGIN
    rng, tallies = np.random.default_rng(0), {rule: Tally() for rule in RULES}
    for _ in range(splits):
        k = np.array([c[rng.choice(len(c), LABELS, replace=False)].sum(axis=0) for c in clusters])
        found = choices(k, costs, bars)
        for rule, tally in tallies.items():
            tally.add(found[rule], found["fallback"], truth, costs, bars)
    return {rule: tally.figures() for rule, tally in tallies.items()}


def main() -> None:
    """Print the figures."""
    if not FILE.exists():
        skipped("accept_rule", f"{FILE} is not here")
        return
    splits = 20 if quick() else 100
    rules = measure(splits)
    ratio = rules["ours"]["mean_cost"] / rules["wilson"]["mean_cost"]
    report(
        "accept_rule",
        figures={"false_accept_share": rules["ours"]["wrong_share"], "mean_cost_ratio_to_wilson": round(ratio, 4)},
        targets={"false_accept_share": 0.05, "mean_cost_ratio_to_wilson": 1.0},
        conditions={
            "splits": splits,
            "labels_a_cell": LABELS,
            "bar": "best model of the cluster minus 0.02",
            "wrong_share_aimed_at": WRONG_SHARE,
            "usd_per_mtok": USD_PER_MTOK,
            "rules": rules,
            "simulated_12_by_18": simulated(np.random.default_rng(1), 5 if quick() else 40),
        },
    )


if __name__ == "__main__":
    main()
