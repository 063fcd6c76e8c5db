"""Pricing a log beyond one machine: the same function under Dask over partitioned Parquet, with the same totals.

Needs the extra `scale` (dask, distributed). The log is written as partitions; each is read, priced and added up where it lies, and
only sums travel. The same partitions are then priced in this process, one after another.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from _report import SHARED, quick, report, skipped

PARTS = 8


def partition_sums(path: str) -> dict[str, int]:
    """One partition: read, priced, added up. Whole 10^-12 USD by plan, and how many tickets."""
    import numpy as np
    import pyarrow.parquet as parquet

    from playground.knowledge import sample_help_centre, sample_policies
    from playground.log_pricing import price_batch
    from playground.log_tickets import LogTickets
    from playground.pipeline import load_shipped
    from playground.workshop import make_router

    columns = parquet.read_table(path).to_pydict()
    names = ("id", "text", "subject", "customer")
    tickets = LogTickets(*(tuple(columns[name]) for name in names))
    batch = price_batch(tickets, make_router(load_shipped("support")), sample_help_centre(), sample_policies())
    return {"tickets": len(tickets.ids), **{plan: int(np.sum(batch.ticket_costs(plan))) for plan in batch.costs}}


def written(folder: Path, tickets: int) -> list[str]:
    """The shared tickets, repeated and varied, as Parquet partitions."""
    import pyarrow as pa
    import pyarrow.parquet as parquet
    from log_pricing import texts

    found = texts(tickets)
    paths = []
    for part in range(PARTS):
        rows = found[part::PARTS]
        ids = [f"{part}-{i}" for i in range(len(rows))]
        table = pa.table(
            {"id": ids, "text": [t for _, t in rows], "subject": [s for s, _ in rows], "customer": [""] * len(rows)}
        )
        paths.append(str(folder / f"part-{part}.parquet"))
        parquet.write_table(table, paths[-1])
    return paths


def added(parts: list[dict[str, int]]) -> dict[str, int]:
    """Sums of sums: whole numbers, so the order does not matter."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def under_dask(paths: list[str]) -> tuple[dict[str, int], float]:
    """Totals and seconds on a local cluster of processes; on many machines only the client's address changes."""
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        started = time.perf_counter()
        parts = client.gather(client.map(partition_sums, paths, pure=False))
        return added(parts), time.perf_counter() - started


def main() -> None:
    """Print the figures."""
    if find_spec("distributed") is None:
        skipped("scale", "the extra is not installed: python -m pip install -c constraints.txt -e '.[scale]'")
        return
    if not (SHARED / "tickets").exists():
        skipped("scale", f"{SHARED / 'tickets'} is not here")
        return
    tickets = 8_000 if quick() else 100_000
    with tempfile.TemporaryDirectory() as folder:
        paths = written(Path(folder), tickets)
        spread, seconds = under_dask(paths)
        started = time.perf_counter()
        here = added([partition_sums(path) for path in paths])
        alone = time.perf_counter() - started
    report(
        "scale",
        figures={
            "total_difference_pico_usd": max(abs(spread[k] - here[k]) for k in here),
            "tickets": spread["tickets"],
        },
        targets={"total_difference_pico_usd": 0, "tickets": tickets},
        conditions={
            "engine": "Dask distributed, two local processes",
            "partitions": PARTS,
            "dask_s": round(seconds, 2),
            "one_process_s": round(alone, 2),
            "totals_pico_usd": spread,
        },
    )


if __name__ == "__main__":
    main()
