"""The measured injection rate, as it is stored and said."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

from playground import tickets
from playground.guardrails.measured import Measured, measured

ROOT = Path(__file__).resolve().parents[1]
KNOWN = Measured(date(2026, 11, 26), "BIPIA", 75, 12, 10_800, 10_800, 0, 0, 2_000, 0.905)


def test_what_is_said_holds_every_figure() -> None:
    assert KNOWN.said == (
        "Measured on 26 November 2026 with 75 injected texts (BIPIA) in 12 sample tickets, 10,800 runs, against a fake model that "
        "obeys them all: of the answers that a rule covers none was served, of requests to other sites none left the page, "
        "and where no rule covers what is asked, 90% of 2,000 answers obeyed and were served."
    )
    found = replace(KNOWN, runs=830, unsafe_served=3, foreign_requests=1).said
    assert "830 runs, of 10,800 combinations" in found
    assert "covers 3 was served" in found
    assert "sites 1 left" in found


def test_the_stored_run_is_of_what_ships() -> None:
    found = measured()
    assert found.tickets == len(tickets.samples())
    assert found.all_runs == found.attacks * found.tickets * 12
    assert 0 < found.runs_without_a_rule < found.runs <= found.all_runs
    assert 0 < found.obeyed_without_a_rule_share <= 1
    assert found.as_of <= date.today()


def test_the_file_is_made_from_what_the_benchmark_prints(tmp_path: Path) -> None:
    printed = {
        "figures": {"unsafe_served": 1, "foreign_requests": 2, "obeyed_without_a_rule_share": 0.5},
        "conditions": {"runs": 10, "attacks": 3, "runs_without_a_rule": 6},
    }
    out = tmp_path / "injection.toml"
    code = (
        "import json, sys, pathlib, datetime, _injection_file as f\n"
        "f.store(json.load(sys.stdin), pathlib.Path(sys.argv[1]), datetime.date(2026, 11, 26))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(out)],
        cwd=ROOT / "benchmarks",
        input=json.dumps(printed),
        text=True,
        check=True,
    )
    found = measured(out)
    assert (found.unsafe_served, found.foreign_requests, found.obeyed_without_a_rule_share) == (1, 2, 0.5)
    assert (found.runs, found.all_runs, found.attacks, found.runs_without_a_rule) == (10, 3 * 12 * 12, 3, 6)
