"""`python -m playground export`: the ledger's receipts as one flat table for a spreadsheet or a warehouse."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, cast

from playground.errors import BadInput
from playground.ledger import Filter, Ledger, LedgerError, Recorder, default_path
from playground.ledger.export import FORMATS, Format, write
from playground.ledger.schema import MEANWHILE
from playground.loop import Agent
from playground.records import PLANS, PURPOSES

PROVENANCES = ("live", "rehearsal", "recorded")


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add `export` to the commands."""
    command: argparse.ArgumentParser = commands.add_parser(
        "export", help="the ledger's receipts as CSV, Parquet or JSON lines"
    )
    command.add_argument(
        "--ledger", type=Path, metavar="PATH", help=f"the ledger; else the app's own: {default_path()}"
    )
    command.add_argument("--format", choices=FORMATS, help="else as the file's name ends, or csv")
    command.add_argument("--out", type=Path, metavar="FILE", help="else standard output")
    command.add_argument("--force", action="store_true", help="write over FILE where it exists")
    command.add_argument("--provenance", choices=PROVENANCES, help="else all; the column tells them apart")
    command.add_argument("--since", type=date.fromisoformat, metavar="DAY", help="such as 2026-11-01, in UTC")
    command.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="the last day")
    for name in ("customer", "stage", "model", "pipeline", "run"):
        command.add_argument(f"--{name}", action="append", default=[], metavar="NAME", help="may be given again")
    command.add_argument("--plan", action="append", default=[], choices=PLANS)
    command.add_argument("--purpose", action="append", default=[], choices=PURPOSES)
    command.set_defaults(command=export)
    return command


def add_ledger(command: argparse.ArgumentParser) -> None:
    """Let a command write its receipts into a ledger."""
    command.add_argument("--ledger", type=Path, metavar="PATH", help="also write the receipts into this ledger")


@contextmanager
def recording(agent: Agent, path: Path | None) -> Iterator[Agent]:
    """The agent, writing into a ledger where one is named. Raises `LedgerError` before anything runs where that cannot be used."""
    if path is None:
        yield agent
        return
    with closing(Ledger(path)) as ledger:
        _check(ledger)
        yield replace(agent, record=Recorder(ledger, agent.router, "ticket", agent.provenance))
        if ledger.pending:
            print(f"The receipts were not kept. {ledger.problem}", file=sys.stderr)


def export(args: argparse.Namespace) -> None:
    """Run the command. Raises `BadInput` or `LedgerError`."""
    form, path = _format(args), args.ledger or default_path()
    if not path.is_file():
        raise BadInput(f"{path}: there is no ledger here. Run something in the app first, or name one with --ledger.")
    with closing(Ledger(path)) as ledger:
        _check(ledger)
        batches = ledger.batches(_filter(args))
        if args.out is None:
            count = write(batches, sys.stdout.buffer, form)
        else:
            with _created(args.out, args.force) as file:
                count = write(batches, file, form)
    print(f"{count:,} {'receipt' if count == 1 else 'receipts'} written.", file=sys.stderr)


def _check(ledger: Ledger) -> None:
    if ledger.problem:
        # Nothing has run yet that could be kept in memory.
        raise LedgerError(ledger.problem.replace(MEANWHILE, "").strip())


def _format(args: argparse.Namespace) -> Format:
    ending = args.out.suffix.removeprefix(".").lower() if args.out else ""
    named = {"jsonl": "ndjson"}.get(ending, ending)
    return cast(Format, args.format or (named if named in FORMATS else "csv"))


def _filter(args: argparse.Namespace) -> Filter:
    return Filter(
        args.provenance,
        args.since,
        args.until,
        tuple(args.customer),
        tuple(args.stage),
        tuple(args.model),
        tuple(args.plan),
        tuple(args.purpose),
        tuple(args.run),
        tuple(args.pipeline),
    )


def _created(path: Path, over: bool) -> BinaryIO:
    """A file for its owner alone, as the ledger is."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if over else os.O_EXCL)
    try:
        return os.fdopen(os.open(path, flags, 0o600), "wb")
    except FileExistsError:
        raise BadInput(f"{path}: this file exists. Give another name, or --force to write over it.") from None
    except OSError as error:
        why = errno.errorcode.get(error.errno or 0, "error")
        raise BadInput(f"{path}: cannot be written ({why}). Choose another place.") from error
