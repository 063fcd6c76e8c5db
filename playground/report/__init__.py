"""The report: one page to hand to a finance lead, then the detail; as one HTML file, as Markdown and as a workbook."""

from playground.report.build import build
from playground.report.model import Report
from playground.report.sources import Redaction, Sources

__all__ = ["Redaction", "Report", "Sources", "build"]
