"""`python -m playground shadow PAIRS`: the verdict on pairs that were scored elsewhere."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playground.cut_over import Assessment, assess
from playground.logs import LogRead
from playground.pairs import read_pairs

SHOWN_PROBLEMS = 20


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add `shadow` to the parser's commands."""
    shadow: argparse.ArgumentParser = commands.add_parser(
        "shadow", help="judge pairs of a current and a candidate model"
    )
    shadow.add_argument("pairs", metavar="PAIRS", type=Path, help="columns current_score and candidate_score, or value")
    shadow.add_argument(
        "--margin", type=_share, default=0.02, metavar="SHARE", help="how much worse it may be; 0.02 is two points"
    )
    shadow.add_argument("--unit", choices=("ticket", "thread", "customer"), default="ticket", help="what counts as one")
    shadow.set_defaults(command=judge_pairs)
    return shadow


def _share(text: str) -> float:
    number = float(text)
    if not 0 < number < 1:
        raise ValueError
    return number


def judge_pairs(args: argparse.Namespace) -> None:
    """Run the command."""
    read = LogRead()
    found = assess(list(read_pairs(args.pairs, read)), args.margin, args.unit)
    print(json.dumps(as_json(found, read), indent=2) if args.json else as_text(found, read))


def as_json(found: Assessment, read: LogRead) -> dict[str, Any]:
    """One object for scripts."""
    return {
        "verdict": found.verdict,
        "margin": found.margin,
        "unit": found.unit,
        "pairs": found.pairs,
        "difference": found.mean,
        "always_valid": {
            "low": found.decision.low,
            "high": found.decision.high,
            "decided_at": found.decision.decided_at,
        },
        "p_value": found.p_cut,
        "fixed_n_only": None if found.fixed is None else asdict(found.fixed),
        "needed": found.needed,
        "intents": {name: verdict for name, (_, verdict) in found.intents.items()},
        "left_out": read.left_out,
        "problems": [p.reason for p in read.problems[:SHOWN_PROBLEMS]],
    }


def as_text(found: Assessment, read: LogRead) -> str:
    """The same for a person."""
    d = found.decision
    lines = [
        f"{found.verdict} at a margin of {found.margin:.1%}, from {found.pairs:,} pairs ({d.pairs:,} {found.unit}s)."
    ]
    lines.append(f"Difference {found.mean:+.2%}; {d.low:+.2%} to {d.high:+.2%} however often you look.")
    if found.fixed is not None:
        lines.append(f"Fixed n only: {found.fixed.low:+.2%} to {found.fixed.high:+.2%}.")
    if found.needed is not None:
        lines.append(f"About {found.needed:,} more {found.unit}s for a verdict.")
    lines += [f"{name}: {verdict}" for name, (_, verdict) in found.intents.items()]
    return "\n".join(lines + [p.reason for p in read.problems[:SHOWN_PROBLEMS]])
