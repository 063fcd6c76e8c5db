"""The report in each of its formats, by the ending of a file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from playground.report.html import as_html
from playground.report.markdown import as_markdown
from playground.report.model import Report
from playground.report.xlsx import as_xlsx

FORMATS: Mapping[str, Callable[[Report], bytes]] = {
    ".html": lambda report: as_html(report).encode(),
    ".md": lambda report: as_markdown(report).encode(),
    ".xlsx": as_xlsx,
}
