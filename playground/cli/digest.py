"""`python -m playground digest`: a day's digest, printed, or sent to the webhook that an environment variable holds."""

from __future__ import annotations

import argparse
import json
import os
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playground.digest.markdown import as_markdown
from playground.digest.post import Post, now_utc
from playground.digest.send import Webhook
from playground.digest.slack import payload
from playground.errors import BadInput
from playground.ledger import Ledger, LedgerError, default_path


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add `digest` to the parser's commands."""
    digest: argparse.ArgumentParser = commands.add_parser("digest", help="a day's digest: printed, or sent to Slack")
    digest.add_argument("--ledger", type=Path, metavar="PATH", help="the app's own if not given")
    digest.add_argument(
        "--day", type=date.fromisoformat, metavar="DAY", help="such as 2026-11-25, in UTC; else yesterday"
    )
    digest.add_argument(
        "--webhook-env",
        metavar="NAME",
        help="send it, to the address in this environment variable; each whole day once",
    )
    digest.add_argument("--rehearsals", action="store_true", help="send days without a live receipt, too")
    digest.add_argument("--again", action="store_true", help="send it although it went out before")
    digest.add_argument(
        "--markdown", action="store_true", help="print Markdown, which is what is printed without --json"
    )
    digest.set_defaults(command=run_digest)
    return digest


def run_digest(args: argparse.Namespace) -> None:
    """Run the command. Raises `BadInput`, `LedgerError` or `NotDelivered`."""
    webhook = None if args.webhook_env is None else _webhook(args.webhook_env)
    path = args.ledger or default_path()
    if not path.is_file():
        raise BadInput(f"{path}: there is no ledger yet. Run a ticket in the app, or give another file with --ledger.")
    with closing(Ledger(path)) as ledger:
        if ledger.problem:
            raise LedgerError(ledger.problem)
        print(_done(args, Post(ledger), webhook))


def _webhook(name: str) -> Webhook:
    address = os.environ.get(name, "")
    if not address.strip():
        raise BadInput(f"The environment variable {name} is not set. Put the webhook's address into it.")
    return Webhook.parse(address)


def _done(args: argparse.Namespace, post: Post, webhook: Webhook | None) -> str:
    """Send, or print. Nothing to send is no error: a cron job stays quiet on a day off."""
    day = args.day or now_utc().date() - timedelta(1)
    found = post.digest(day)
    if found is None:
        which = " (yesterday)" if args.day is None else ""
        return f"{day}{which}: no receipts, so there is no digest. Choose another day with --day, such as --day {now_utc():%F}."
    if webhook is None:
        return json.dumps(payload(found), indent=2) if args.json else as_markdown(found)
    if found.provenance != "live" and not args.rehearsals:
        return f"{day}: no live receipts, so nothing was sent. Send it all the same with --rehearsals."
    if args.again or found.so_far:
        post.send(webhook, found)
    elif not post.send_once(webhook, day):
        return f"{day}: the digest went out before. Send it again with --again."
    return f"{day}: the digest went out to {webhook}."
