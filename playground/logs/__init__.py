"""Ticket logs from a help desk's export: CSV, JSON and XLSX, streamed into batches of tickets."""

from __future__ import annotations

from playground.logs.columns import FIELDS, Columns, guess
from playground.logs.log_read import LogRead, Problem, problems_csv
from playground.logs.preview import Preview, preview
from playground.logs.reader import BATCH, read_log

__all__ = [
    "BATCH",
    "FIELDS",
    "Columns",
    "LogRead",
    "Preview",
    "Problem",
    "guess",
    "preview",
    "problems_csv",
    "read_log",
]
