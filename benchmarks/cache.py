"""What the caches answer: repeats in real requests, a hit against a miss on a 50 ms server, and how often a semantic hit is wrong.

Exact: every request goes through the cache and its file. Semantic: the threshold is tuned on every second banking77 question from
the second on, and the shipped one is measured on the others. By meaning: the procedure that tunes a threshold on a team's own
tickets, with a stand-in for a model's embeddings, so what it shows is whether the procedure keeps its promise and not what a model
would find. `--quick` takes fewer calls and one order of arrival.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from _report import SHARED, quick, report, skipped
from _server import provider

from playground.answer_store import Answers
from playground.cache import ExactCache
from playground.cache_replay import SemanticReplay, distinct_bound, exact_hits, nearest_answers, semantic_hits
from playground.embedding_threshold import tuned
from playground.gateway import Connection, Gateway, warm
from playground.hit_threshold import LEXICAL, RADIUS, tune, upper_bound
from playground.labelled_texts import Labelled as Row
from playground.labelled_texts import enough
from playground.lexical import vectors
from playground.local import endpoint_models
from playground.records import (
    Candidate,
    Completion,
    Context,
    Message,
    Model,
    OutputSpec,
    Prompt,
    Request,
    Source,
    Ticket,
    Usage,
)
from playground.watch import Complete, Unwatched, Watch

MULTIDOGO = SHARED / "tickets" / "multidogo_train.jsonl"
BANKING = SHARED / "tickets" / "banking77_train.csv"
CLINC = SHARED / "tickets" / "clinc150_train_val.csv"
WAIT_S = 0.05
QUIET = Unwatched()
Labelled = tuple[list[str], list[str]]
"""Texts and their labels."""


def requests_by_domain() -> list[tuple[str, str]]:
    """Request and domain of every conversation that has a request: lower case, no punctuation."""
    with MULTIDOGO.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [(plain(row["request"]), row["domain"]) for row in rows if row["request"]]


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", "", text.lower()).split())


def asked(text: str, tenant: str, model: Model) -> Request:
    """A call that shows a ticket's text to a model."""
    messages = (Message("system", "Answer the ticket."), Message("user", text))
    ticket = Ticket("t", text, customer_id=tenant)
    return Request(
        Candidate(model), Prompt("draft", 1, messages, 20, 5), OutputSpec("text"), 200, 40, Context(ticket, {}, ())
    )


def exact(asks: list[tuple[str, str]], folder: Path) -> dict[str, Any]:
    """The share that a cache answers in a file, and how long one takes."""
    model = Model("openai/none", "none", "None", None, None, None)

    def complete(request: Request, watch: Watch) -> Completion:
        return Completion("An answer.", Usage(20, 3), "live")

    with closing(Answers(folder / "exact.sqlite")) as answers:
        cache = ExactCache(answers, "live")
        started = time.perf_counter()
        sources = [cache.call(asked(text, domain, model), QUIET, complete).source for text, domain in asks]
        took_s, problem = time.perf_counter() - started, answers.problem
    assert not problem, problem
    texts, domains = [text for text, _ in asks], [domain for _, domain in asks]
    replayed = exact_hits(texts, domains)
    assert [s == "exact cache" for s in sources] == replayed.tolist()
    return {
        "rate": float(replayed.mean()),
        "bound": distinct_bound(texts, domains),
        "ms_a_call": took_s / len(asks) * 1e3,
    }


def seconds(cache: ExactCache, request: Request, complete: Complete, expected: Source) -> float:
    started = time.perf_counter()
    done = cache.call(request, QUIET, complete)
    took_s = time.perf_counter() - started
    assert done.source == expected, done
    return took_s


def hits_and_misses(calls: int, folder: Path) -> tuple[list[float], list[float]]:
    """Seconds of calls that go out through the gateway, and of the same calls out of the cache's file."""
    warm()
    with provider(delay_s=WAIT_S) as base_url, closing(Answers(folder / "speed.sqlite")) as answers:
        (model,) = endpoint_models(base_url, ["fake"], Decimal(1), Decimal(1))
        assert model.endpoint
        gateway = Gateway({model.endpoint: Connection(model.provider, "key", base_url)})
        cache = ExactCache(answers, "live")
        asks = [asked(f"Where is order number {n}? {'It is late. ' * 50}", "acme", model) for n in range(calls)]
        misses = [seconds(cache, request, gateway.complete, "model") for request in asks]
        return misses, [seconds(cache, request, gateway.complete, "exact cache") for request in asks]


def labelled(file: Path, text: str, label: str) -> Labelled:
    with file.open(encoding="utf-8", newline="") as rows:
        found = [(row[text], row[label]) for row in csv.DictReader(rows) if row[label] != "oos"]
    return [t for t, _ in found], [name for _, name in found]


def in_order(data: Labelled, rows: range, seed: int) -> Labelled:
    """Some rows in a random order of arrival."""
    order = np.random.default_rng(seed).permutation(np.array(rows)).tolist()
    return [data[0][i] for i in order], [data[1][i] for i in order]


def replayed(data: Labelled) -> SemanticReplay:
    return semantic_hits(data[0], labels=data[1], most=len(data[0]))


def semantic(orders: int) -> dict[str, Any]:
    """The shipped threshold on the half that nothing was tuned on, and what tuning on the other half says."""
    banking = labelled(BANKING, "text", "category")
    size = len(banking[0])
    halves = {"tuned": range(1, size, 2), "measured": range(0, size, 2)}
    tuned = tune(*nearest_answers(*in_order(banking, halves["tuned"], 0)))
    found = [replayed(in_order(banking, halves["measured"], seed)) for seed in range(orders)]
    first = found[0]
    wrong, hits = first.false_hits or 0, int(first.hits.sum())
    return {
        "false": first.false_hit_share,
        "rate": first.hit_share,
        "conditions": {
            "threshold": LEXICAL.threshold,
            "neighbours_must_agree_from": RADIUS,
            "tuned_on_the_other_half": tuned
            and {"threshold": tuned.threshold, "hits": tuned.hits, "wrong": tuned.false_hits},
            "requests": first.compared,
            "hits": hits,
            "wrong_hits": wrong,
            "false_hit_share_below_with_95": round(upper_bound(wrong, hits), 4),
            "orders_of_arrival": orders,
            "mean_false_hit_share": round(mean(f.false_hit_share or 0 for f in found), 4),
            "worst_false_hit_share": round(max(f.false_hit_share or 0 for f in found), 4),
        },
    }


def elsewhere() -> dict[str, float | None]:
    """The same threshold on another data set, whose labels differ from each other in other ways."""
    found = replayed(in_order(data := labelled(CLINC, "text", "intent"), range(len(data[0])), 0))
    return {"hit_rate": round(found.hit_share, 4), "false_hit_share": round(found.false_hit_share or 0, 4)}


STAND_IN = "letters of 3 to 5 inside words, hashed into 1,024 signed columns: a stand-in, not a model"
_COLUMNS = 1_024


def stood_in(texts: list[str]) -> dict[str, Any]:
    """A vector for each text that knows nothing of meaning."""
    sparse = vectors(texts).tocoo()
    signs = np.where(sparse.col // _COLUMNS % 2, -1.0, 1.0)
    dense = np.zeros((len(texts), _COLUMNS), np.float32)
    np.add.at(dense, (sparse.row, sparse.col % _COLUMNS), sparse.data * signs)
    lengths = np.linalg.norm(dense, axis=1, keepdims=True)
    return dict(zip(texts, dense / np.where(lengths > 0, lengths, 1), strict=True))


def by_meaning(data: Labelled, orders: int) -> dict[str, Any]:
    """The procedure on one data set, in several orders: each time another half is tuned on, and the other one measured."""
    at, found = stood_in(list(dict.fromkeys(data[0]))), []
    for seed in range(orders):
        rows = [Row(*pair) for pair in zip(*in_order(data, range(len(data[0])), seed), strict=True)]
        found.append(tuned(enough(rows), at.__getitem__))
    used = [f for f in found if f.threshold is not None]
    hits, wrong = sum(f.hits for f in used), sum(f.false_hits for f in used)
    return {
        "orders": orders,
        "thresholds": [f.threshold for f in found],
        "requests_measured": sum(f.requests for f in used),
        "hits": hits,
        "wrong_hits": wrong,
        "false_hit_share": round(wrong / hits, 4) if hits else None,
        "worst_false_hit_share_of_one_order": round(max((f.false_hits / f.hits for f in used), default=0.0), 4),
        "false_hit_share_with_what_was_refused": round(
            sum(f.false_hits for f in found) / max(1, sum(f.hits for f in found)), 4
        ),
        "refused_after_measuring": sum(bool(f.hits) and f.threshold is None for f in found),
        "hits_by_letters_on_the_same_halves": sum(f.letter_hits for f in used),
    }


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 2)


def replay_seconds() -> dict[str, float]:
    """How long a log takes to replay: 100,000 tickets exact, 20,000 semantic with labels and without."""
    data = [labelled(BANKING, "text", "category"), labelled(CLINC, "text", "intent")]
    both: Labelled = ([*data[0][0], *data[1][0]], [*data[0][1], *data[1][1]])
    texts, labels = in_order(both, range(len(both[0])), 0)
    many = (texts * 4)[:100_000]
    return {
        "exact_100k": timed(lambda: exact_hits(many, [n % 10 for n in range(len(many))])),
        "semantic_20k": timed(lambda: semantic_hits(texts)),
        "semantic_20k_with_labels": timed(lambda: semantic_hits(texts, labels=labels)),
    }


Found = dict[str, Any]


def measured(few: bool) -> Found:
    """Everything that is measured, by name; a quick run takes one order and one set."""
    asks = requests_by_domain()
    with tempfile.TemporaryDirectory() as folder:
        repeats = exact(asks, Path(folder))
        misses, hits = hits_and_misses(20 if few else 200, Path(folder))
    meaning = {"embedder": STAND_IN, "banking77": by_meaning(labelled(BANKING, "text", "category"), 1 if few else 8)}
    if not few:
        meaning["clinc150"] = by_meaning(labelled(CLINC, "text", "intent"), 8)
    alike = semantic(1 if few else 8)
    return {"asks": asks, "repeats": repeats, "misses": misses, "hits": hits, "alike": alike, "meaning": meaning}


def figures(m: Found) -> Found:
    """What has a target."""
    return {
        "exact_hit_rate": round(m["repeats"]["rate"], 6),
        "distinct_bound": round(m["repeats"]["bound"], 6),
        "hit_speedup": round(median(m["misses"]) / median(m["hits"]), 1),
        "semantic_false_hit_share": round(m["alike"]["false"] or 0, 4),
        "semantic_hit_rate": round(m["alike"]["rate"], 4),
        "tuned_by_meaning_false_hit_share": m["meaning"]["banking77"]["false_hit_share"],
    }


def targets(m: Found) -> Found:
    """The hit rate has to equal the bound, and wrong hits may be 2%, by letters and by meaning."""
    bound = round(m["repeats"]["bound"], 6)
    return {
        "exact_hit_rate": bound,
        "distinct_bound": bound,
        "hit_speedup": 50,
        "semantic_false_hit_share": 0.02,
        "semantic_hit_rate": None,
        "tuned_by_meaning_false_hit_share": 0.02,
    }


def conditions(m: Found, few: bool) -> Found:
    """How it was measured, and what was seen beside it."""
    more = {} if few else {"clinc150_at_the_same_threshold": elsewhere(), "replay_s": replay_seconds()}
    return {
        "requests": len(m["asks"]),
        "exact_ms_a_call": round(m["repeats"]["ms_a_call"], 3),
        "miss_ms": round(median(m["misses"]) * 1e3, 2),
        "hit_ms": round(median(m["hits"]) * 1e3, 3),
        "slowest_hit_ms": round(max(m["hits"]) * 1e3, 3),
        "calls": len(m["hits"]),
        "semantic": m["alike"]["conditions"],
        "by_meaning": m["meaning"],
        **more,
    }


def main() -> None:
    """Print the figures."""
    missing = next((file for file in (MULTIDOGO, BANKING, CLINC) if not file.exists()), None)
    if missing:
        skipped("cache", f"{missing} is not here")
        return
    m = measured(quick())
    report("cache", figures=figures(m), targets=targets(m), conditions=conditions(m, quick()))


if __name__ == "__main__":
    main()
