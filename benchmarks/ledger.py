"""The ledger under SIGKILL, at a million receipts, and with 32 sessions writing at once.

A child process adds receipts from 8 threads and prints each one's number when `add` has returned; it is killed at a random
moment, and the next child goes on in the same file. A million receipts are written through the ledger's own rows and rollups.
The page's question is spend by model, stage and day of one provenance.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from _report import ROOT, quick, report

from playground.ledger import Filter, Ledger
from playground.ledger.rows import row_of
from playground.ledger.writing import insert, transaction
from playground.records import Entry, Receipt, Usage

STAGES = (("intent", 1), ("rerank", 3), ("draft", 1), ("check", 1), ("respond", 1), ("summarise", 1))
MODELS = (
    ("gpt-5.4-mini", "OpenAI"),
    ("claude-opus-5", "Anthropic"),
    ("gemini-3-flash", "Google"),
    ("kimi-k2.5", "Moonshot"),
)
CHILD_THREADS = 8
KILLED_AFTER_S = (0.3, 1.2)
SUMMED = "sum(attempts), sum(cost_high) * 1000000 + sum(cost_low), sum(before_high) * 1000000 + sum(before_low)"
START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 60


def ticket(n: int, rng: random.Random) -> Iterator[Entry]:
    """One ticket's eight receipts, now and then with a failed try; three of four tickets name one of 2,000 customers."""
    at = START + timedelta(days=rng.randrange(DAYS), seconds=rng.randrange(86_400))
    customer = f"customer-{int(rng.paretovariate(0.8)) % 2_000}" if rng.random() < 0.75 else None
    for stage, calls in STAGES:
        for call in range(calls):
            ends = ("failed", "ok") if rng.random() < 0.03 else ("ok",)
            for attempt, outcome in enumerate(ends, 1):
                yield entry(n, stage, call, attempt, outcome, at, customer, rng)


def entry(
    n: int, stage: str, call: int, attempt: int, outcome: str, at: datetime, customer: str | None, rng: random.Random
) -> Entry:
    name, provider = MODELS[min(int(rng.expovariate(1.2)), 3)]
    used = Usage(rng.randrange(200, 4_000), rng.randrange(20, 600), counted="provider")
    cost = Decimal(used.input_tokens * 3 + used.output_tokens * 15) / 1_000_000
    receipt = Receipt(
        f"t{n}", "support", "kr-auto", stage, call, attempt, name, provider, "default", used, cost, date(2026, 10, 21), "live",
        outcome, 0.8, 0.2,
    )  # fmt: skip
    before = cost * 4 if outcome == "ok" else None
    return Entry(receipt, at, f"run-{n // 500}", "ticket", customer, f"{n:016x}", before)


def child(path: str, first: int) -> None:
    """Add receipts until killed, and print the number of each that is acknowledged."""
    ledger, lock, rng = Ledger(Path(path)), threading.Lock(), random.Random(first)

    def work(me: int) -> None:
        for i in range(10_000_000):
            n = first + me * 10_000_000 + i
            if ledger.add([entry(n, "draft", 1, 1, "ok", START, f"c{me}", rng)]):
                with lock:
                    os.write(1, f"t{n}\n".encode())

    for me in range(CHILD_THREADS):
        threading.Thread(target=work, args=(me,)).start()


def killed(kills: int) -> tuple[int, int, int]:
    """Acknowledged receipts, how many of them are lost, and after how many kills the file or its sums were wrong."""
    rng, acknowledged, corrupt = random.Random(7), set[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        for kill in range(kills):
            command = [sys.executable, __file__, "--child", str(path), str(kill * 1_000_000_000)]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
            assert process.stdout is not None
            said = process.stdout.readline()
            told = threading.Timer(rng.uniform(*KILLED_AFTER_S), os.kill, (process.pid, signal.SIGKILL))
            told.start()
            said += process.stdout.read()
            process.wait()
            acknowledged |= set(said.decode().rpartition("\n")[0].split())
            corrupt += not sound(path)
        with closing(sqlite3.connect(path)) as connection:
            kept = {name for (name,) in connection.execute("SELECT ticket_id FROM receipt")}
    return len(acknowledged), len(acknowledged - kept), corrupt


def sound(path: Path) -> bool:
    """Whether SQLite finds the file whole, and the rollups say what the receipts say."""
    with closing(sqlite3.connect(path)) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        sums = [
            connection.execute(f"SELECT {what} FROM {table}").fetchone()
            for table, what in (
                ("receipt", "count(*), sum(cost), sum(before)"),
                ("by_cell", SUMMED),
                ("by_ticket", SUMMED),
            )
        ]
    return whole and len(set(sums)) == 1


def filled(path: Path, receipts: int) -> Ledger:
    """A ledger of so many receipts, without an fsync for each ticket."""
    ledger, rng, written, n = Ledger(path), random.Random(1), 0, 0
    writer = ledger._writer
    assert writer is not None
    while written < receipts:
        rows = []
        while len(rows) < min(20_000, receipts - written):
            rows += [("receipt", row_of(e)) for e in ticket(n, rng)]
            n += 1
        with transaction(writer):
            insert(writer, rows[: receipts - written])
        written += len(rows)
    return ledger


def seconds(ask: object, times: int = 7) -> float:
    """The median of several runs."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        ask()  # type: ignore[operator]
        took.append(time.perf_counter() - started)
    return round(sorted(took)[times // 2], 4)


def million(receipts: int) -> dict[str, float]:
    """Seconds of what pages ask of a large ledger."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        started = time.perf_counter()
        ledger = filled(path, receipts)
        built = time.perf_counter() - started
        live = Filter("live")
        few = Filter("live", customers=("customer-7",), stages=("draft",))
        found = {
            "model_stage_day": seconds(lambda: ledger.spend(("model", "stage", "day"), live, tickets=False)),
            "customer_with_tickets": seconds(lambda: ledger.spend(("customer",), live)),
            "total_with_tickets": seconds(lambda: ledger.spend((), live)),
            "one_customer_one_stage": seconds(lambda: ledger.spend(("model",), few)),
            "tickets_by_stage": seconds(lambda: ledger.spend(("stage",), live), 3),
            "newest_100": seconds(lambda: ledger.entries(live)),
            "reopened": seconds(lambda: Ledger(path).close(), 3),
        }
        started = time.perf_counter()
        ledger.forget_customer("customer-7")
        found["forget_customer"] = round(time.perf_counter() - started, 3)
        size = path.stat().st_size / 1e6
        ledger.close()
    return {**found, "built": round(built, 1), "megabytes": round(size)}


def together(threads: int, calls: int) -> tuple[float, float, int]:
    """Median and 99th percentile of `add` in milliseconds, with all threads adding at once, and how many were not kept."""
    took: list[float] = []
    lost: list[str] = []
    barrier = threading.Barrier(threads)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")

        def session(me: int) -> None:
            rng = random.Random(me)
            mine = [[e] for n in range(calls // 8 + 1) for e in ticket(me * 100_000 + n, rng)][:calls]
            barrier.wait()
            for entries in mine:
                started = time.perf_counter()
                kept = ledger.add(entries)
                took.append((time.perf_counter() - started) * 1000)
                if not kept:
                    lost.append(ledger.problem)

        running = [threading.Thread(target=session, args=(me,)) for me in range(threads)]
        [t.start() for t in running]
        [t.join() for t in running]
        ledger.close()
    took.sort()
    return round(took[len(took) // 2], 2), round(took[int(len(took) * 0.99)], 2), len(lost)


def main() -> None:
    few = quick()
    acknowledged, lost, corrupt = killed(3 if few else 40)
    receipts = 30_000 if few else 1_000_000
    asked = million(receipts)
    median, p99, errors = together(32, 40 if few else 200)
    report(
        "ledger",
        figures={
            "lost_after_kill": lost,
            "corrupt_after_kill": corrupt,
            "query_1m_s": asked["model_stage_day"],
            "write_p99_ms_32": p99,
            "lock_errors": errors,
        },
        targets={
            "lost_after_kill": 0,
            "corrupt_after_kill": 0,
            "query_1m_s": 0.1,
            "write_p99_ms_32": 50,
            "lock_errors": 0,
        },
        conditions={
            "kills": 3 if few else 40,
            "acknowledged": acknowledged,
            "receipts": receipts,
            "seconds_of_other_questions": asked,
            "write_median_ms_32": median,
            "load_average": round(os.getloadavg()[0], 1),
        },
    )


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(sys.argv[2], int(sys.argv[3]))
    else:
        main()
