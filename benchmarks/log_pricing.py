"""A whole log priced at once, against a plain loop over litellm and against bare tiktoken.

The loop builds every prompt, counts it with litellm's `token_counter` and prices it with `completion_cost` for each plan, as a
script without this engine would; it runs on a few hundred tickets and is scaled. Batches are priced on all cores, as the app does.
Against tiktoken retrieval is set aside: the help centre's order for each ticket is looked up in place of being searched.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
from _report import ROOT, SHARED, quick, report, skipped
from numpy.typing import NDArray

from playground import tokens
from playground.knowledge import HelpCentre, sample_help_centre, sample_policies
from playground.log_pricing import PricedBatch, price_all, price_batch
from playground.log_tickets import LogTickets
from playground.pipeline import Pipeline, load_shipped
from playground.prompt_counts import assumed_tokens, count_inputs
from playground.prompts import render
from playground.records import PLANS, Context, Ticket
from playground.router import Router
from playground.workshop import make_router

FOLDER = SHARED / "tickets"
BATCH = 20_000


def texts(n: int) -> list[tuple[str, str]]:
    """Subjects and texts of the shared tickets, repeated and varied until there are `n`."""
    found = []
    for name in ("cucom_600", "multidogo_train"):
        lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        found += [(row.get("subject") or "", row["text"]) for row in map(json.loads, lines) if row["text"]]
    with (FOLDER / "banking77_train.csv").open(encoding="utf-8", newline="") as file:
        found += [("", row["text"]) for row in csv.DictReader(file)]
    return [(s, f"{t} Reference {i}.") for i, (s, t) in zip(range(n), found * (n // len(found) + 1), strict=False)]


def batches(found: list[tuple[str, str]]) -> list[LogTickets]:
    """The tickets as the pricer takes them."""
    parts = [found[i : i + BATCH] for i in range(0, len(found), BATCH)]
    return [
        LogTickets(tuple(map(str, range(len(p)))), tuple(t for _, t in p), tuple(s for s, _ in p), ("",) * len(p))
        for p in parts
    ]


def litellm_loop_s(found: list[tuple[str, str]], router: Router) -> float:
    """Seconds of the plain loop."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    centre, policies, flow = sample_help_centre(), sample_policies(), router.pipeline
    litellm.token_counter(model="gpt-4o", text="warm")
    started = time.perf_counter()
    for i, (subject, text) in enumerate(found):
        ticket = Ticket(str(i), text, subject)
        passages = centre.retrieve(f"{subject} {text}", flow.retrieve)
        for stage in flow.stages:
            shown = passages if stage.key == "rerank" else passages[: flow.keep]
            for prompt in render(stage, Context(ticket, flow.labels, policies, shown)):
                messages = [{"role": m.role, "content": m.content} for m in prompt.messages]
                counted = litellm.token_counter(model="gpt-4o", messages=messages)
                for plan in PLANS:
                    model = {"before": stage.before, "stratified": flow.tiers[stage.tier]}.get(plan, "gpt-5.4-mini")
                    litellm.cost_per_token(
                        model=model, prompt_tokens=counted, completion_tokens=stage.typical_output_tokens
                    )
    return time.perf_counter() - started


def count_difference(found: list[tuple[str, str]], flow: Pipeline) -> int:
    """Largest difference in tokens between a counted prompt and the same prompt encoded whole."""
    centre, policies, label = sample_help_centre(), sample_policies(), next(iter(flow.labels))
    counted = count_inputs(batches(found)[0], flow, centre, policies)
    worst = 0
    for i, (subject, text) in enumerate(found):
        passages = centre.retrieve(f"{subject} {text}", flow.retrieve)
        for stage in flow.stages:
            shown = passages if stage.key == "rerank" else passages[: flow.keep]
            context = Context(Ticket(str(i), text, subject), flow.labels, policies, shown, {"intent": {"label": label}})
            whole = [p.input_tokens + assumed_tokens(stage, flow) for p in render(stage, context)]
            worst = max(worst, *(abs(a - int(b)) for a, b in zip(whole, counted[stage.key][i], strict=True)))
    return worst


def tiktoken_s(found: list[tuple[str, str]]) -> float:
    """Seconds of bare encoding of the texts once: the faster of one core and of all cores."""
    encode, cores = tokens._encoding().encode_ordinary, os.cpu_count() or 1
    started = time.perf_counter()
    for _, text in found:
        encode(text)
    one = time.perf_counter() - started
    parts = [found[i::cores] for i in range(cores)]
    started = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda part: [len(encode(text)) for _, text in part], parts))
    return min(one, time.perf_counter() - started)


class Searched(HelpCentre):
    """A help centre that has been searched for a batch before."""

    def __init__(self, centre: HelpCentre, order: NDArray[np.int32]) -> None:
        self.articles, self.order = centre.articles, order

    def rank(self, queries: Sequence[str], limit: int) -> NDArray[np.int32]:
        """The order that was found before."""
        return self.order


def queries(batch: LogTickets) -> list[str]:
    """What the help centre is searched for."""
    return [f"{s} {t}" for s, t in zip(batch.subjects, batch.texts, strict=True)]


def peak_memory_mb(found: list[tuple[str, str]], tickets: int = 1_000_000) -> int:
    """Peak memory of the command that prices a file of a million tickets, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["id", "customer", "created_at", "subject", "text", "customer_messages"])
            for i in range(tickets):
                subject, text = found[i % len(found)]
                out.writerow(
                    [i, f"customer {i % 5000}", f"2026-10-{i % 31 + 1:02d}T09:00:00", subject, f"{text} {i}", i % 3 + 1]
                )
        code = "import sys, resource; from playground.cli import main; main(['price', sys.argv[1], '--json']);"
        code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)"
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return int(done.stderr.split()[-1])


def seconds(found: list[LogTickets], price: Callable[[LogTickets], PricedBatch]) -> float:
    """Seconds of pricing every batch."""
    started = time.perf_counter()
    for _ in price_all(found, price):
        pass
    return time.perf_counter() - started


def main() -> None:
    """Print the figures."""
    if not FOLDER.exists():
        skipped("log_pricing", f"{FOLDER} is not here")
        return
    n, sample = (40_000, 50) if quick() else (100_000, 500)
    found, router = texts(n), make_router(load_shipped("support"))
    centre, policies, log = sample_help_centre(), sample_policies(), batches(found)
    price_batch(batches(found[:100])[0], router, centre, policies)
    ours = seconds(log, lambda b: price_batch(b, router, centre, policies))
    order = {id(b): centre.rank(queries(b), router.pipeline.retrieve) for b in log}
    turns = []
    for _ in range(2 if quick() else 5):
        # Side by side: what else the machine does meets both.
        aside = seconds(log, lambda b: price_batch(b, router, Searched(centre, order[id(b)]), policies))
        turns.append((aside, tiktoken_s(found)))
    aside, bare = (median(side) for side in zip(*turns, strict=True))
    loop = litellm_loop_s(found[:sample], router) * n / sample
    compared = found[: 100 if quick() else 2_000]
    memory = None if quick() else peak_memory_mb(found)
    report(
        "log_pricing",
        figures={
            "speedup_over_litellm_loop": round(loop / ours, 1),
            "ratio_to_tiktoken": round(median(a / b for a, b in turns), 2),
            "peak_memory_mb_1m": memory,
            "count_difference": count_difference(compared, router.pipeline),
        },
        targets={
            "speedup_over_litellm_loop": 100,
            "ratio_to_tiktoken": 2.0,
            "peak_memory_mb_1m": 1500,
            "count_difference": 0,
        },
        conditions={
            "tickets": n,
            "seconds": round(ours, 2),
            "retrieval_aside_s": round(aside, 2),
            "bare_tiktoken_s": round(bare, 2),
            "litellm_loop_scaled_s": round(loop, 1),
            "loop_on": sample,
            "counts_compared_on_tickets": len(compared),
        },
    )


if __name__ == "__main__":
    main()
