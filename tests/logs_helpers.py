"""Writing a log file and reading it whole."""

from __future__ import annotations

from pathlib import Path

from playground.log_tickets import LogTickets
from playground.logs import Columns, LogRead, read_log


def read(path: Path, columns: Columns | None = None) -> tuple[list[LogTickets], LogRead]:
    told = LogRead()
    return list(read_log(path, columns, told)), told


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def reasons(told: LogRead) -> list[str]:
    return [p.reason for p in told.problems]
