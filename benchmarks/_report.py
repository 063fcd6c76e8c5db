"""What every benchmark prints: one JSON object whose figures and targets share their keys."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
sys.path.insert(0, str(ROOT))


def quick() -> bool:
    """Whether `--quick` was given: fewer repetitions, under 20 seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    return bool(parser.parse_args().quick)


def report(
    name: str, figures: Mapping[str, object], targets: Mapping[str, object], conditions: Mapping[str, object]
) -> None:
    """Print the result."""
    machine = {"python": platform.python_version(), "cpus": os.cpu_count()}
    print(
        json.dumps(
            {"benchmark": name, "figures": figures, "targets": targets, "conditions": {**machine, **conditions}},
            indent=2,
        )
    )


def skipped(name: str, reason: str) -> None:
    """Print that it could not be measured here, and why."""
    print(json.dumps({"benchmark": name, "skipped": reason}, indent=2))
