"""The accept rule on a real outcome table: how often it accepts a model below the bar, and what its choices cost.

dcrouter: three clusters of questions as stages, nine models, 50 questions drawn for each cluster; the bar is two points under the
cluster's best model. Where nothing is accepted, the model with the best mean on the drawn questions answers, under either rule.
"""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
from _report import SHARED, quick, report, skipped

from playground.accept import WRONG_SHARE, Array, accept

FILE = SHARED / "routing" / "dcrouter_scores.csv"
LABELS, MARGIN = 50, 0.02
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
Z_95 = 1.645


def table() -> tuple[list[str], list[Array]]:
    """Model names, and for each cluster its questions' scores."""
    with FILE.open(encoding="utf-8", newline="") as file:
        head, *lines = csv.reader(file)
    numbers = np.array([[float(x) for x in line[1:]] for line in lines])
    return head[2:], [numbers[numbers[:, 0] == c, 1:] for c in np.unique(numbers[:, 0])]


def wilson_lower(share: Array, n: int) -> Array:
    """Lower end of Wilson's interval (one-sided 95%)."""
    z2 = Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    return np.asarray(centre - Z_95 * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n))


def cheapest(allowed: Array, costs: Array) -> tuple[int, ...]:
    """The cheapest allowed column of each row, or -1."""
    priced = np.where(allowed, costs, np.inf)
    return tuple(int(row.argmin()) if np.isfinite(row.min()) else -1 for row in priced)


def split(rng: np.random.Generator, clusters: list[Array], costs: Array, bars: Array) -> dict[str, tuple[int, ...]]:
    """One draw of labels, and each rule's choices; -1 is replaced by the fallback only when costs are counted."""
    k = np.array([c[rng.choice(len(c), LABELS, replace=False)].sum(axis=0) for c in clusters])
    return {
        "ours": accept(k, LABELS, costs, bars).chosen,
        "wilson": cheapest(wilson_lower(k / LABELS, LABELS) >= bars[:, None], costs),
        "mean": cheapest(k / LABELS >= bars[:, None], costs),
        "fallback": (int(k.sum(axis=0).argmax()),) * len(clusters),
    }


def measure(splits: int) -> dict[str, Any]:
    """Shares and mean costs over many draws."""
    names, clusters = table()
    costs = np.array([USD_PER_MTOK[name] for name in names])
    truth = np.array([c.mean(axis=0) for c in clusters])
    bars = truth.max(axis=1) - MARGIN
    rng = np.random.default_rng(0)
    runs = [split(rng, clusters, costs, bars) for _ in range(splits)]
    found: dict[str, Any] = {}
    for rule in ("ours", "wilson", "mean"):
        taken = [(s, c) for run in runs for s, c in enumerate(run[rule]) if c >= 0]
        wrong = sum(truth[s, c] < bars[s] for s, c in taken)
        spent = [costs[c if c >= 0 else run["fallback"][s]] for run in runs for s, c in enumerate(run[rule])]
        found[rule] = {
            "accepted": len(taken),
            "wrong_share": round(float(wrong / max(len(taken), 1)), 4),
            "mean_cost": round(float(np.mean(spent)), 4),
        }
    return found


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
        },
    )


if __name__ == "__main__":
    main()
