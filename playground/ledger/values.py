"""What is asked of the ledger, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from playground.money import ZERO, Total
from playground.records import Assurance, Entry, Plan, Provenance, Purpose

By = Literal[
    "day",
    "stage",
    "model",
    "provider",
    "plan",
    "customer",
    "purpose",
    "pipeline",
    "provenance",
    "outcome",
    "run",
    "assurance",
]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which receipts are meant: every field that is given must match. Days are in UTC, and `until` is the last one.

    An empty customer stands for tickets that name none.
    """

    provenance: Provenance | None = None
    since: date | None = None
    until: date | None = None
    customers: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    plans: tuple[Plan, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    runs: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    assurances: tuple[Assurance, ...] = ()


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Spend:
    """The sums of some receipts. `key` holds what they share, in the order that was asked for; a day as 2026-11-26.

    A customer or an assurance that is not known is `None`.
    """

    key: tuple[str | None, ...]
    total: Total
    before: Total
    """What the calls whose answers were used would have cost on today's models; evaluations are compared with nothing."""
    attempts: int
    failed: int
    """Of the attempts, those whose output was not used."""
    tickets: int | None
    """Tickets, each once in a run; `None` where they were not asked for."""
    failed_usd: Decimal = ZERO
    saved_usd: Decimal = ZERO
    """What our own caches saved."""
    input_tokens: int = 0
    output_tokens: int = 0


NOTHING = Spend((), Total(), Total(), 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry and its number in the ledger."""

    id: int
    entry: Entry
