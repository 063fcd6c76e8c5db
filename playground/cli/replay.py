"""`python -m playground run ... --save FILE` keeps a run as a file, and `replay FILE` shows it again without calling anything."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground.bill import PlanBill, assured, bills
from playground.errors import BadInput
from playground.pipeline import Pipeline
from playground.recorded import FORMAT, Recording, load, save
from playground.records import Assurance, Plan, Trace
from playground.router import Router
from playground.scrub import secrets_of

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""A terminal obeys these, and a file may come from anywhere."""
Plans = dict[Plan, PlanBill]
Both = dict[Assurance, PlanBill]
AsJson = Callable[[Trace, Plans, Both], dict[str, Any]]
AsText = Callable[[str, Trace, Plans, Pipeline, Both], str]


def add_command(commands: Any, as_json: AsJson, as_text: AsText) -> argparse.ArgumentParser:
    """Add `replay`, which shows a recorded run as `run` shows a new one."""
    replay: argparse.ArgumentParser = commands.add_parser("replay", help="show a recorded run: nothing is called")
    replay.add_argument("file", metavar="FILE", type=Path, help="a file that run --save or the notebook has written")
    replay.set_defaults(command=lambda args: _replay(args, as_json, as_text))
    return replay


def add_save(run: argparse.ArgumentParser) -> None:
    """Add to `run` what keeps it as a file."""
    run.add_argument("--save", metavar="FILE", type=Path, help="keep the run as a file for replay; keys are taken out")
    run.add_argument(
        "--without-personal-data",
        action="store_true",
        help="with --save: leave the customer out, and mask e-mail addresses and long numbers",
    )


def keep(args: argparse.Namespace, trace: Trace, router: Router) -> None:
    """Write the run where it was asked for. Raises `BadInput` where the file cannot be written."""
    if args.save is None:
        return
    raw = save(trace, router, secrets=secrets_of(os.environ), without_personal_data=args.without_personal_data)
    beside = args.save.with_name(f"{args.save.name}.part")
    try:
        beside.write_bytes(raw)
        beside.replace(args.save)
    except (OSError, ValueError) as error:
        raise BadInput(f"{args.save}: cannot be written: {getattr(error, 'strerror', None) or error}.") from None


def opened(path: Path) -> Recording:
    """The recording in a file. Raises `BadInput`."""
    try:
        if path.stat().st_size > FORMAT.largest:
            raise BadInput(f"{path}: {path.stat().st_size:,} bytes; {FORMAT.name} may have at most {FORMAT.largest:,}.")
        return load(path.read_bytes(), path.name)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _replay(args: argparse.Namespace, as_json: AsJson, as_text: AsText) -> None:
    found = opened(args.file)
    plans = bills(found.trace, found.router)
    both = assured(found.trace, found.router, plans)
    if args.json:
        print(json.dumps(as_json(found.trace, plans, both) | replay_json(found), indent=2))
        return
    head = f"{found.label} Prices of {found.price_date}. Ticket {found.trace.ticket.id}, plan {found.trace.plan}."
    lines = [as_text(head, found.trace, plans, found.router.pipeline, both), *found.notes]
    print("\n".join(_CONTROL.sub("", line) for line in lines))


def replay_json(found: Recording) -> dict[str, Any]:
    """What a recording adds to a run's object."""
    return {
        "price_date": found.price_date.isoformat(),
        "recorded": {
            "made_at": found.made_at.isoformat(),
            "from": found.origin,
            "app_version": found.app_version,
            "label": found.label,
            "without_personal_data": found.without_personal_data,
            "notes": list(found.notes),
        },
    }
