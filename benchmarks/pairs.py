"""Ten thousand rehearsed pairs, scored and decided; and an evaluation that is killed half way and goes on.

The pairs are of the intent stage, on real one-line tickets. How long the other stages take is printed beside it, from fewer pairs.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from threading import Event

from _report import ROOT, SHARED, quick, report, skipped

from playground.bounded import Unit, run_bounded
from playground.cut_over import assess
from playground.jobs import Jobs
from playground.pipeline import load_shipped
from playground.records import Ticket
from playground.scoring import JUDGED, Judge, fit_judges
from playground.shadow import Arms, Shadowing
from playground.shadow_job import Task, pairs_of, shadow_work
from playground.workshop import make_agent, make_router

SOURCE = SHARED / "tickets" / "banking77_train.csv"
CANDIDATE = "gpt-5.4-mini"
WORKERS = 4
JOB = "benchmark"


def tickets(n: int) -> dict[str, Ticket]:
    with SOURCE.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return {str(i): Ticket(f"b{i}", texts[i % len(texts)]) for i in range(n)}


def task(stage: str) -> Task:
    agent = make_agent(make_router(load_shipped("support")))
    current, candidate = agent.router.named(agent.pipeline.stage(stage).before), agent.router.named(CANDIDATE)
    judge = None
    if stage in JUDGED:
        by = fit_judges(agent.router.catalog, current, candidate, agent.router.evidence)[0]
        judge = Judge.shipped(by, agent.complete, agent.provenance)
    return Task(Shadowing(agent, Arms(stage, current, (candidate,))), judge)


def seconds(stage: str, n: int) -> tuple[float, str]:
    """Seconds for `n` pairs, from the first prompt to the verdict, and the verdict."""
    found, jobs = tickets(n), Jobs(None)
    work = shadow_work(task(stage), found)
    started = time.perf_counter()
    units = [Unit(key, Decimal(0)) for key in found]
    done = run_bounded(units, work, workers=WORKERS, cap_usd=None, jobs=jobs, job=JOB, stop=Event())
    verdict = assess(list(pairs_of([f.payload for f in done], CANDIDATE)), 0.02).verdict
    took = time.perf_counter() - started
    jobs.close()
    return took, verdict


def child(store: str, log: str, n: int) -> None:
    """One run of the evaluation that may be killed: it notes each ticket it begins and each pair it is given."""
    found, jobs = tickets(n), Jobs(Path(store))
    inner = shadow_work(task("draft"), found)

    def noted(unit: Unit, stop: Event):  # type: ignore[no-untyped-def]
        note(log, f"began {unit.key}")
        return inner(unit, stop)

    units = [Unit(key, Decimal(0)) for key in found]
    for finished in run_bounded(units, noted, workers=WORKERS, cap_usd=None, jobs=jobs, job=JOB, stop=Event()):
        if not finished.resumed:
            note(log, f"kept {finished.key}")


def note(log: str, line: str) -> None:
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def killed_and_resumed(n: int, kills: int) -> tuple[int, int, int]:
    """Pairs lost, pairs paid for again, and kills that struck while the work went on."""
    with tempfile.TemporaryDirectory() as folder:
        store, log = str(Path(folder) / "jobs.sqlite"), str(Path(folder) / "log")
        command = [sys.executable, __file__, "--child", store, log, str(n)]
        struck = sum(strike(command, log, n * (i + 1) // (kills + 1)) for i in range(kills))
        subprocess.run(command, check=True, cwd=ROOT)
        lines = Path(log).read_text(encoding="utf-8").splitlines()
        jobs = Jobs(Path(store))
        stored = jobs.done(JOB)
        jobs.close()
    kept: set[str] = set()
    again = 0
    for what, key in (line.split() for line in lines):
        again += key in kept
        kept |= {key} if what == "kept" else set()
    return len(kept - set(stored)) + (n - len(stored)), again, struck


def strike(command: list[str], log: str, after: int) -> bool:
    """Start, and kill once so many pairs have been kept."""
    process = subprocess.Popen(command, cwd=ROOT)
    while process.poll() is None:
        text = Path(log).read_text(encoding="utf-8") if Path(log).exists() else ""
        if text.count("kept") >= after:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.01)
    return False


def main() -> None:
    if not SOURCE.exists():
        skipped("pairs", f"{SOURCE} is not here")
        return
    n = 1_000 if quick() else 10_000
    took, verdict = seconds("intent", n)
    few = 40 if quick() else 300
    others = {
        stage: round(seconds(stage, few)[0] / few * 1000, 1)
        for stage in ("rerank", "draft", "check", "respond", "summarise")
    }
    lost, again, struck = killed_and_resumed(*((120, 1) if quick() else (600, 3)))
    report(
        "pairs",
        figures={
            "seconds_10k_pairs": round(took * 10_000 / n, 1),
            "lost_after_kill": lost,
            "duplicated_after_kill": again,
        },
        targets={"seconds_10k_pairs": 60, "lost_after_kill": 0, "duplicated_after_kill": 0},
        conditions={"pairs": n, "verdict": verdict, "ms_a_pair_at_other_stages": others, "kills": struck},
    )


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
