"""Twenty people at once load pages and run rehearsals for two minutes, and leave: errors, and what the server keeps of them.

A visitor is a websocket session, as a browser's is; twenty Chromiums would measure the machine. Memory is the server's resident
size: at its start one visitor has seen every page, so that what is loaded once is loaded; at its end everybody has gone, and
Streamlit's two minutes for a visitor who comes back are over.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from _report import quick, report
from _visitors import Visitor

from tests.browser.harness import app_running

USERS = 20
FORGOTTEN_S = 125
RUN = "Run ticket"


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def server_pid(url: str) -> int:
    port = url.rsplit(":", 1)[1].encode()
    found = (p for p in Path("/proc").glob("[0-9]*/cmdline") if port in _read(p).split(b"\0"))
    return int(next(p for p in found if b"streamlit" in _read(p)).parent.name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


async def visit(url: str, number: int, until: float, waits: list[float], errors: list[str]) -> None:
    try:
        async with Visitor(url) as visitor:
            await visitor.load()
            pages = sorted(visitor.pages)
            turn = number
            while time.monotonic() < until:
                started = time.monotonic()
                if turn % 3 == 0:
                    await visitor.load("")
                    await visitor.press(RUN)
                else:
                    await visitor.load(pages[turn % len(pages)])
                waits.append(time.monotonic() - started)
                turn += 1
                await asyncio.sleep(0.5)
            errors += visitor.errors
    except Exception as error:
        errors.append(f"{type(error).__name__}: {str(error)[:120]}")


async def everybody(url: str, users: int, seconds: float) -> tuple[list[float], list[str]]:
    waits: list[float] = []
    errors: list[str] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(visit(url, i, until, waits, errors) for i in range(users)))
    return waits, errors


async def one_look(url: str) -> None:
    """One visitor who sees every page: what the server loads once is loaded then."""
    async with Visitor(url) as visitor:
        await visitor.load()
        for page in sorted(visitor.pages):
            await visitor.load(page)
        await visitor.load("")
        await visitor.press(RUN)


def main() -> None:
    brief = quick()
    seconds, users, forgotten = (5, 4, 1) if brief else (120, USERS, FORGOTTEN_S)
    with app_running() as url:
        asyncio.run(one_look(url))
        time.sleep(forgotten)
        asyncio.run(one_look(url))
        pid = server_pid(url)
        start = resident_mb(pid)
        waits, errors = asyncio.run(everybody(url, users, seconds))
        full = resident_mb(pid)
        time.sleep(forgotten)
        asyncio.run(one_look(url))
        end = resident_mb(pid)
    ranked = sorted(waits)
    report(
        "load",
        {"errors": len(errors), "memory_growth_share": round(end / start - 1, 4)},
        {"errors": 0, "memory_growth_share": 0.20},
        {
            "users": users,
            "seconds": seconds,
            "loads_and_runs": len(waits),
            "wait_median_s": round(ranked[len(ranked) // 2], 3),
            "wait_p95_s": round(ranked[int(len(ranked) * 0.95)], 3),
            "start_mb": round(start),
            "under_load_mb": round(full),
            "end_mb": round(end),
            "first_errors": errors[:5],
            "quick": brief,
        },
    )


if __name__ == "__main__":
    main()
