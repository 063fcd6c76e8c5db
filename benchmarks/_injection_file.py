"""Keeps what `injection.py` printed where the Guards page reads it: `python injection.py | python _injection_file.py`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from _report import ROOT

from playground.tickets import samples

FILE = ROOT / "playground" / "data" / "injection.toml"
WAYS = 3 * 2 * 2
"""Places in a ticket; obeying early or late; with a deed of its own or without."""


def store(printed: Mapping[str, Any], path: Path, as_of: date) -> None:
    """Write the figures. Raises `KeyError` where the run was skipped."""
    figures, under, tickets = printed["figures"], printed["conditions"], len(samples())
    if figures["foreign_requests"] is None:
        sys.exit("No page was shown, so requests were not measured. Run it where there is a Chromium.")
    found = {
        "as_of": as_of.isoformat(),
        "source": '"BIPIA, training set, MIT"',
        "attacks": under["attacks"],
        "tickets": tickets,
        "runs": under["runs"],
        "all_runs": under["attacks"] * tickets * WAYS,
        "unsafe_served": figures["unsafe_served"],
        "foreign_requests": figures["foreign_requests"],
        "runs_without_a_rule": under["runs_without_a_rule"],
        "obeyed_without_a_rule_share": float(figures["obeyed_without_a_rule_share"]),
    }
    head = "# What benchmarks/injection.py printed, kept by benchmarks/_injection_file.py.\n"
    path.write_text(head + "".join(f"{name} = {value}\n" for name, value in found.items()), encoding="utf-8")


if __name__ == "__main__":
    store(json.load(sys.stdin), FILE, date.today())
