"""How far our bill is from two independent ones: litellm's `completion_cost` and genai-prices.

Prints one JSON object. `max_difference` is in USD for a single call, over every model and usage that is not in
`conditions.explained`, where each difference has its reason. The comparison itself is shared with tests/test_prices.py.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.records import Usage

ROOT = Path(__file__).resolve().parents[1]
TARGETS = {"max_difference": 1e-9, "models": 60, "usages": 200}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out every fourth usage")
    quick = parser.parse_args().quick
    sys.path.insert(0, str(ROOT))
    oracle = load_oracle()
    usages = [usage for number, usage in enumerate(oracle.usages()) if number % 4 or not quick]
    print(json.dumps(measure(oracle, usages)))


def load_oracle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("oracle", ROOT / "tests" / "oracle.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("tests/oracle.py holds the comparison and is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(oracle: ModuleType, usages: Sequence[Usage]) -> dict[str, object]:
    try:
        bills = {name: load() for name, load in oracle.ORACLES.items()}
    except ModuleNotFoundError as error:
        return {"benchmark": "prices", "skipped": f"{error.name} is not installed"}
    found = {name: oracle.differences(bill, usages, oracle.models()) for name, bill in bills.items()}
    checked = {name: oracle.unexplained(name, gaps) for name, gaps in found.items()}
    return {
        "benchmark": "prices",
        "figures": {
            "max_difference": float(max(gap for gaps in checked.values() for gap in gaps.values())),
            "models": len({name for gaps in checked.values() for name in gaps}),
            "usages": len(usages),
        },
        "targets": TARGETS,
        "conditions": {
            "models_compared": {name: len(gaps) for name, gaps in checked.items()},
            "explained": oracle.EXPLAINED,
            "versions": {name: version(name) for name in oracle.ORACLES},
            "billed_at": f"{oracle.PEAK.isoformat()}, so that DeepSeek charges its standard rate",
        },
    }


if __name__ == "__main__":
    main()
