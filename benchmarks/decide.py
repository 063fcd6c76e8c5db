"""How long one decision takes over 150 candidates, each with its reason."""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median

from _report import quick, report

from playground.catalog import Catalog, load_catalog
from playground.difficulty import cues
from playground.evidence import load_evidence
from playground.pipeline import load_shipped
from playground.records import Prompt
from playground.router import Router
from playground.tickets import samples
from playground.workshop import make_router

CANDIDATES = 150


def wide_router() -> Router:
    """The shipped catalogue, with copies of its models until there are `CANDIDATES`."""
    flow, catalog = load_shipped("support"), load_catalog()
    missing = CANDIDATES - len(catalog.candidates(load_evidence().efforts))
    copies = tuple(replace(m, name=f"{m.name}-copy", id=f"{m.id}-copy") for m in catalog.models[:missing])
    return make_router(flow, catalog=Catalog((*catalog.models, *copies)))


def main() -> None:
    """Print the figures."""
    router = wide_router()
    hard = cues(next(iter(samples().values())))
    prompts = {s.key: tuple(Prompt(s.key, i, (), 4200, 900) for i in range(s.calls)) for s in router.pipeline.stages}
    times = []
    for _ in range(50 if quick() else 500):
        for stage in router.pipeline.stages:
            started = time.perf_counter()
            router.decide(stage, prompts[stage.key], "kr-auto", hard)
            times.append((time.perf_counter() - started) * 1000)
    warm = times[len(router.pipeline.stages) :]
    report(
        "decide",
        figures={"decide_150_ms": round(median(warm), 3)},
        targets={"decide_150_ms": 1.0},
        conditions={
            "candidates": len(router.candidates),
            "decisions": len(warm),
            "slowest_of_a_hundred_ms": round(sorted(warm)[int(len(warm) * 0.99)], 3),
            "first_of_a_stage_ms": round(max(times[: len(router.pipeline.stages)]), 1),
        },
    )


if __name__ == "__main__":
    main()
